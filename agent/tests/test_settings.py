"""The environment: what is accepted, and the sentence for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow_agent.configuration import Change, Configuration
from edgeflow_agent.settings import Settings, SettingsError, read_settings, split_address
from edgeflow_agent.state import StateFolder


def test_nothing_set_is_a_usable_agent_without_a_cloud() -> None:
    settings = read_settings({})
    assert settings.enabled
    assert settings.enable_tls
    assert settings.server_url == ""
    assert settings.server_port == 8080
    assert settings.server_host == "127.0.0.1"
    assert settings.metrics_interval == 10
    assert settings.max_reconnect_attempts is None


def test_everything_set() -> None:
    settings = read_settings(
        {
            "EDGEFLOW_SAAS_ENABLED": "1",
            "EDGEFLOW_SAAS_URL": "[::1]:8000",
            "EDGEFLOW_DEVICE_ID": "dev_1",
            "EDGEFLOW_API_KEY": "efk_1",
            "EDGEFLOW_SAAS_TLS": "FALSE",
            "EDGEFLOW_SAAS_HEARTBEAT_INTERVAL": "1m",
            "EDGEFLOW_SAAS_MAX_RECONNECT_ATTEMPTS": "0",
            "EDGEFLOW_AGENT_METRICS_INTERVAL": "2500ms",
            "EDGEFLOW_SERVER_HOST": "0.0.0.0",
            "EDGEFLOW_API_TOKEN": "long enough to be one",
            "EDGEFLOW_AGENT_DIR": "/somewhere",
        }
    )
    assert not settings.enable_tls
    assert settings.heartbeat_interval == 60
    assert settings.max_reconnect_attempts == 0
    assert settings.metrics_interval == 2.5
    assert settings.agent_dir == Path("/somewhere")
    assert "efk_1" not in repr(settings)
    assert "long enough" not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({"EDGEFLOW_SAAS_ENABLED": "maybe"}, "EDGEFLOW_SAAS_ENABLED is 'maybe'. Write true or false."),
        ({"EDGEFLOW_SAAS_URL": "https://cloud.example.com"}, "without https://"),
        ({"EDGEFLOW_SAAS_URL": "host:port"}, "Write host:port"),
        ({"EDGEFLOW_SAAS_URL": "host:99999"}, "Write host:port"),
        ({"EDGEFLOW_SAAS_URL": "a b"}, "Write host:port"),
        ({"EDGEFLOW_SAAS_HEARTBEAT_INTERVAL": "soon"}, "for example 30s"),
        ({"EDGEFLOW_SAAS_HEARTBEAT_INTERVAL": "10ms"}, "between 1s and 3600s"),
        ({"EDGEFLOW_SAAS_MAX_RECONNECT_ATTEMPTS": "-1"}, "a whole number"),
        ({"EDGEFLOW_AGENT_METRICS_INTERVAL": "0s"}, "between"),
        ({"EDGEFLOW_SERVER_PORT": "70000"}, "a whole number from 0 to 65535"),
        ({"EDGEFLOW_SERVER_HOST": "0.0.0.0"}, "EDGEFLOW_API_TOKEN"),
        ({"EDGEFLOW_API_TOKEN": "short"}, "at least 16"),
        ({"EDGEFLOW_DEVICE_ID": "dev_1"}, "EDGEFLOW_API_KEY is not set"),
        ({"EDGEFLOW_LOG_FORMAT": "xml"}, "text, json"),
    ],
)
def test_a_bad_value_is_a_sentence_with_its_name(environment: dict[str, str], part: str) -> None:
    with pytest.raises(
        SettingsError, match=next(iter(environment)) if "is not set" not in part else "is not set"
    ) as caught:
        read_settings(environment)
    assert part in str(caught.value)


def test_addresses() -> None:
    assert split_address("host") == ("host", None)
    assert split_address("host:80") == ("host", 80)
    assert split_address("[::1]:80") == ("[::1]", 80)
    assert split_address("[::1]") == ("[::1]", None)


def test_a_stored_change_stands_until_its_variable_is_edited(tmp_path: Path) -> None:
    folder = StateFolder.open(tmp_path)
    first = Settings(server_url="one:1", enable_tls=True)
    configuration = Configuration(first, folder)
    configuration.change(Change(server_url="two:2"))
    assert configuration.current.server_url == "two:2"
    assert configuration.current.enable_tls is True
    assert Configuration(first, folder).current.server_url == "two:2"
    assert Configuration(Settings(server_url="three:3"), folder).current.server_url == "three:3"


def test_a_bad_change_changes_nothing(tmp_path: Path) -> None:
    configuration = Configuration(Settings(server_url="one:1"), StateFolder.open(tmp_path))
    with pytest.raises(SettingsError):
        configuration.change(Change(server_url="http://two:2", enable_tls=False))
    assert configuration.current.server_url == "one:1"
    assert configuration.current.enable_tls is True


def test_a_damaged_configuration_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{half")
    configuration = Configuration(Settings(server_url="one:1"), StateFolder.open(tmp_path))
    assert configuration.current.server_url == "one:1"
    assert (tmp_path / "config.json.broken").read_text() == "{half"
