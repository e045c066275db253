"""The environment of the agent, read once and checked: a wrong value is a sentence, never a surprise
later.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\]")
BOARDS = ("auto", "none", "simulated")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


class SettingsError(ValueError):
    """A setting that cannot be used. `str(error)` is a sentence for people that names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every variable, parsed. Durations are in seconds; `None` and empty text mean "not set"."""

    enabled: bool = True
    server_url: str = ""
    """`host:port` of the cloud."""
    device_id: str = ""
    api_key: str = field(default="", repr=False)
    provisioning_code: str = field(default="", repr=False)
    enable_tls: bool = True
    heartbeat_interval: float | None = None
    max_reconnect_attempts: int | None = None
    server_host: str = "127.0.0.1"
    server_port: int = 8080
    api_token: str = field(default="", repr=False)
    agent_dir: Path = Path()
    metrics_interval: float = 10.0
    spool_bytes: int = 32 * 1024 * 1024
    allow_unsigned_flows: bool = False
    """Whether the cloud may send flows that nobody signed although keys are pinned."""
    board: str = "auto"
    """`auto`, `none` or `simulated`."""
    log_format: str = "text"
    log_level: str = "info"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of `environment` (the process's own by default). Raises SettingsError for the first bad
    value.
    """
    env = os.environ if environment is None else environment

    def text(name: str) -> str:
        return env.get(name, "").strip()

    url = text("EDGEFLOW_SAAS_URL")
    settings = Settings(
        enabled=parse_boolean("EDGEFLOW_SAAS_ENABLED", text("EDGEFLOW_SAAS_ENABLED"), default=True),
        server_url=parse_address("EDGEFLOW_SAAS_URL", url) if url else "",
        device_id=text("EDGEFLOW_DEVICE_ID"),
        api_key=text("EDGEFLOW_API_KEY"),
        provisioning_code=text("EDGEFLOW_PROVISIONING_CODE"),
        enable_tls=parse_boolean("EDGEFLOW_SAAS_TLS", text("EDGEFLOW_SAAS_TLS"), default=True),
        heartbeat_interval=_duration(env, "EDGEFLOW_SAAS_HEARTBEAT_INTERVAL", None, 1.0, 3600.0),
        max_reconnect_attempts=_integer(env, "EDGEFLOW_SAAS_MAX_RECONNECT_ATTEMPTS", None, 0, 1_000_000),
        server_host=text("EDGEFLOW_SERVER_HOST") or "127.0.0.1",
        server_port=_integer(env, "EDGEFLOW_SERVER_PORT", 8080, 0, 65535) or 0,
        api_token=text("EDGEFLOW_API_TOKEN"),
        agent_dir=Path(text("EDGEFLOW_AGENT_DIR") or default_folder(env)).expanduser().absolute(),
        metrics_interval=_duration(env, "EDGEFLOW_AGENT_METRICS_INTERVAL", 10.0, 1.0, 3600.0) or 10.0,
        spool_bytes=(_integer(env, "EDGEFLOW_AGENT_SPOOL_MB", 32, 1, 10_240) or 32) * 1024 * 1024,
        allow_unsigned_flows=parse_boolean(
            "EDGEFLOW_AGENT_ALLOW_UNSIGNED_FLOWS", text("EDGEFLOW_AGENT_ALLOW_UNSIGNED_FLOWS"), default=False
        ),
        board=_choice(env, "EDGEFLOW_AGENT_BOARD", BOARDS),
        log_format=_choice(env, "EDGEFLOW_LOG_FORMAT", ("text", "json")),
        log_level=_choice(env, "EDGEFLOW_LOG_LEVEL", LOG_LEVELS, "info"),
    )
    if bool(settings.device_id) != bool(settings.api_key):
        missing = "EDGEFLOW_API_KEY" if settings.device_id else "EDGEFLOW_DEVICE_ID"
        raise SettingsError(
            f"{missing} is not set. A device needs both EDGEFLOW_DEVICE_ID and EDGEFLOW_API_KEY."
        )
    if settings.server_host not in LOOPBACK_HOSTS and not settings.api_token:
        raise SettingsError(
            f"EDGEFLOW_SERVER_HOST={settings.server_host} would open the local API to the network without "
            "a password. "
            "Set EDGEFLOW_API_TOKEN to a long random text, or leave EDGEFLOW_SERVER_HOST at 127.0.0.1."
        )
    if settings.api_token and len(settings.api_token) < 16:
        raise SettingsError("EDGEFLOW_API_TOKEN is too short to be safe. Use at least 16 random characters.")
    return settings


def default_folder(env: Mapping[str, str]) -> str:
    """Where the agent keeps its state: a system folder for root, the user's own otherwise."""
    if os.geteuid() == 0:
        return "/var/lib/edgeflow-agent"
    state = env.get("XDG_STATE_HOME") or "~/.local/state"
    return f"{state}/edgeflow-agent"


def parse_boolean(name: str, text: str, default: bool) -> bool:
    """`true`/`1`/`yes`/`on` or their opposites, in any case; empty is `default`. Raises SettingsError."""
    match text.lower():
        case "":
            return default
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
        case _:
            raise SettingsError(f"{name} is {text!r}. Write true or false.")


def parse_duration(name: str, text: str, least: float, most: float) -> float:
    """Seconds of `30s`, `500ms`, `5m`, `1h` or a plain number of seconds. Raises SettingsError."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise SettingsError(f"{name} is {text!r}. Write a duration, for example 30s, 500ms, 5m or 1h.")
    seconds = float(found["number"]) * _SECONDS[found["unit"]]
    if not least <= seconds <= most:
        raise SettingsError(f"{name} is {text!r}. It must be between {least:g}s and {most:g}s.")
    return seconds


def parse_address(name: str, text: str) -> str:
    """`host:port`, checked; a host alone stays alone. Raises SettingsError."""
    scheme, separator, _ = text.partition("://")
    if separator:
        raise SettingsError(
            f"{name} is {text!r}. Write host:port without {scheme}://; whether TLS is used says "
            "EDGEFLOW_SAAS_TLS."
        )
    host, port = split_address(text)
    if not _HOST.fullmatch(host) or (port is not None and not 1 <= port <= 65535):
        raise SettingsError(f"{name} is {text!r}. Write host:port, for example cloud.example.com:443.")
    return text


def split_address(address: str) -> tuple[str, int | None]:
    """Host (IPv6 in its brackets) and port of `host:port`; port None when absent, 0 when it is not a
    number.
    """
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        return address, None
    return host, int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0


def _duration(
    env: Mapping[str, str], name: str, default: float | None, least: float, most: float
) -> float | None:
    text = env.get(name, "").strip()
    return parse_duration(name, text, least, most) if text else default


def _integer(env: Mapping[str, str], name: str, default: int | None, least: int, most: int) -> int | None:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise SettingsError(f"{name} is {text!r}. Write a whole number from {least} to {most}.")
    return int(text)


def _choice(env: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str = "") -> str:
    text = env.get(name, "").strip().lower() or default or allowed[0]
    if text not in allowed:
        raise SettingsError(f"{name} is {text!r}. Write one of: {', '.join(allowed)}.")
    return text
