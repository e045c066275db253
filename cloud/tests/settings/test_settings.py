"""Settings: where values come from, what is said of mistakes, and that no secret is shown."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgeflow_cloud.infra.origins import BadSettings, load, shown
from edgeflow_cloud.infra.secrets import BadSecret, Secret, Secrets
from edgeflow_cloud.infra.settings import S3Address, Settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_work_on_one_machine() -> None:
    loaded = load({})
    settings = loaded.settings
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert settings.loopback_only
    assert settings.default_plan == "enterprise"
    assert settings.demo_device is True
    assert loaded.origins["port"] == "default"
    assert loaded.origins["public_url"] == "derived"
    assert not loaded.warnings


def test_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "edgeflow.toml").write_text('port = 9000\nhost = "0.0.0.0"\n')
    loaded = load({"EDGEFLOW_PORT": "9001"})
    assert (loaded.settings.port, loaded.settings.host) == (9001, "0.0.0.0")
    assert (loaded.origins["port"], loaded.origins["host"]) == ("environment", "file")
    assert not loaded.settings.loopback_only


def test_a_misspelt_name_is_told_and_the_agents_names_are_known(tmp_path: Path) -> None:
    (tmp_path / "edgeflow.toml").write_text("prot = 1\n")
    agent = {
        "EDGEFLOW_SAAS_URL": "x",
        "EDGEFLOW_API_KEY": "x",
        "EDGEFLOW_SERVER_PORT": "1",
        "EDGEFLOW_AGENT_DIR": "x",
    }
    warnings = load({"EDGEFLOW_PUBLICURL": "x", **agent}).warnings
    assert len(warnings) == 2
    assert "EDGEFLOW_PUBLICURL" in warnings[0] and "did you mean EDGEFLOW_PUBLIC_URL" in warnings[0]
    assert "'prot'" in warnings[1] and "did you mean port" in warnings[1]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "EDGEFLOW_PORT is 'abc' but must be a whole number."),
        ("PORT", "70000", "EDGEFLOW_PORT is '70000' but must be between 0 and 65535."),
        ("DEMO_DEVICE", "maybe", "EDGEFLOW_DEMO_DEVICE is 'maybe' but must be on or off."),
        ("REGISTRATION", "all", "EDGEFLOW_REGISTRATION is 'all' but must be 'open', 'invite' or 'closed'."),
        ("PUBLIC_URL", "foo", "EDGEFLOW_PUBLIC_URL must look like https://cloud.example.com."),
        ("TLS_CERT", "/nope", "EDGEFLOW_TLS_CERT is '/nope' but must name an existing file."),
    ],
)
def test_a_bad_value_is_one_sentence(name: str, value: str, sentence: str) -> None:
    with pytest.raises(BadSettings) as caught:
        load({f"EDGEFLOW_{name}": value})
    assert caught.value.problems == [sentence]


def test_bad_values_are_all_told_and_passwords_never() -> None:
    secret = "hunter2hunter2"
    with pytest.raises(BadSettings) as caught:
        load(
            {
                "EDGEFLOW_JWT_KEY": secret,
                "EDGEFLOW_DATABASE_URL": f"mysql://u:{secret}@h/x",
                "EDGEFLOW_VALKEY_URL": f"http://:{secret}@h",
                "EDGEFLOW_S3_URL": f"s3://k:{secret}@h",
            }
        )
    assert len(caught.value.problems) == 4
    assert secret not in str(caught.value)


def test_no_secret_shows_anywhere() -> None:
    secret = "canary" * 8
    settings = load(
        {
            "EDGEFLOW_JWT_KEY": secret,
            "EDGEFLOW_DATABASE_URL": f"postgresql://u:{secret}@db.example:5432/x?sslmode=require",
            "EDGEFLOW_VALKEY_URL": f"unix://:{secret}@/run/valkey.sock?db=0",
            "EDGEFLOW_S3_URL": f"s3://key:{secret}@s3.example/bucket",
        }
    ).settings
    seen = [
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        *(shown(value) for _name, value in settings),
    ]
    assert not [text for text in seen if secret in text]
    assert shown(settings.database_url) == "postgresql://u:********@db.example:5432/x?sslmode=require"
    assert shown(settings.jwt_key) == "********"
    with pytest.raises(TypeError):
        Secret("x").__reduce__()


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("s3://k:s@127.0.0.1:8333/b", "http://127.0.0.1:8333"),
        ("s3://k:s@minio.example:9000/b?region=eu-central-1", "https://minio.example:9000"),
        ("s3://k:s@minio.example/b?tls=off", "http://minio.example"),
        ("s3://k:s@/b", None),
    ],
)
def test_an_s3_address_is_read(url: str, endpoint: str | None) -> None:
    address = S3Address.parse(Secret(url))
    assert (address.endpoint, address.bucket, address.access_key) == (endpoint, "b", "k")
    assert address.secret_key == Secret("s")


def test_parts_fill_only_what_was_not_given() -> None:
    settings = Settings(database_url=Secret("postgresql://u:p@h/x"))
    filled = settings.with_parts(database_url=None, valkey_url="unix:///v", s3_url="s3://a:b@h/c")
    assert filled.database_url == Secret("postgresql://u:p@h/x")
    assert filled.valkey_url == Secret("unix:///v")
    assert settings.valkey_url is None


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first = Secrets(folder)
    assert first.origins()["jwt_key"] == "not made yet"
    values = (first.jwt_key, first.master_key, first.database_password, first.s3_secret_key)
    again = Secrets(folder)
    assert (again.jwt_key, again.master_key, again.database_password, again.s3_secret_key) == values
    assert again.jwt_key_id == first.jwt_key_id
    assert len(again.master_key) == 32
    assert again.origins()["jwt_key"] == "made by `up`"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_two_processes_that_make_a_secret_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: Secrets(tmp_path / "secrets").jwt_key.reveal(), range(32)))
    assert len(set(keys)) == 1
    assert [file.name for file in (tmp_path / "secrets").iterdir()] == ["jwt_key"]


def test_given_secrets_are_used_and_not_written(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets", jwt_key=Secret("k" * 32), master_key=Secret("short"))
    assert secrets.jwt_key.reveal() == "k" * 32
    assert secrets.origins()["jwt_key"] == "environment"
    with pytest.raises(BadSecret, match="EDGEFLOW_MASTER_KEY must be 32 bytes"):
        _ = secrets.master_key
    assert not (tmp_path / "secrets").exists()


def test_an_empty_secret_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "jwt_key").touch()
    with pytest.raises(BadSecret, match="restore it from your backup"):
        _ = Secrets(tmp_path).jwt_key
