"""Node-RED's type names and config nodes in our words. A config key that is not named here is taken as it is: our types
read Node-RED's keys where their name is Node-RED's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

Config = dict[str, object]
Entries = Mapping[str, Mapping[str, object]]

TYPES: dict[str, str] = {
    "mqtt in": "mqtt-in",
    "mqtt out": "mqtt-out",
    "http in": "http-in",
    "http response": "http-response",
    "http request": "http-request",
    "link in": "link-in",
    "link out": "link-out",
    "link call": "link-call",
    "json": "json-parser",
    "xml": "xml-parser",
    "csv": "csv-parser",
    "yaml": "yaml-parser",
    "file": "file-out",
    "file in": "file-in",
    "websocket in": "websocket-in",
    "websocket out": "websocket-out",
    "tcp request": "tcp-client",
    "udp in": "udp",
    "udp out": "udp",
    "serial in": "serial-in",
    "serial out": "serial-out",
    "rpi-gpio in": "gpio-in",
    "rpi-gpio out": "gpio-out",
    "e-mail": "email",
}


def name_type(kind: str, entry: Mapping[str, object]) -> str:
    """Our type for a node of Node-RED's; a `websocket in` or `out` that connects to a server is our client."""
    if kind in ("websocket in", "websocket out") and entry.get("client") and not entry.get("server"):
        return "websocket-client"
    return TYPES.get(kind, kind)


def convert(kind: str, config: Config, entries: Entries) -> Config:
    """A node's config in our words, its config nodes folded in."""
    change = _CHANGES.get(kind)
    return change(config, entries) if change is not None else config


def _mqtt(config: Config, entries: Entries) -> Config:
    broker = entries.get(str(config.get("broker")), {})
    host, port = str(broker.get("broker") or "localhost"), str(broker.get("port") or "1883")
    if "://" not in host:
        host = f"{'ssl' if broker.get('usetls') else 'tcp'}://{host}:{port}"
    retain = str(config.get("retain") or "").lower() == "true"
    changed = {
        **config,
        "broker": host,
        "clientId": broker.get("clientid") or "",
        "cleanSession": broker.get("cleansession", True) is not False,
        "keepAlive": broker.get("keepalive") or 60,
        "retain": retain,
    }
    credentials = broker.get("credentials")
    if isinstance(credentials, Mapping):
        known = cast("Mapping[str, object]", credentials)
        changed["username"], changed["password"] = known.get("user") or "", known.get("password") or ""
    if broker.get("willTopic"):
        changed |= {
            "willTopic": broker.get("willTopic"),
            "willPayload": broker.get("willPayload") or "",
            "willQos": broker.get("willQos") or 0,
            "willRetain": str(broker.get("willRetain")).lower() == "true",
        }
    if changed.get("qos") == "":
        changed["qos"] = 0
    return changed


def _http_in(config: Config, entries: Entries) -> Config:
    return {**config, "path": config.get("url") or config.get("path") or "/"}


def _udp(mode: str) -> Callable[[Config, Entries], Config]:
    def change(config: Config, entries: Entries) -> Config:
        return {**config, "mode": mode, "host": config.get("addr") or config.get("iface") or ""}

    return change


def _tcp(config: Config, entries: Entries) -> Config:
    return {**config, "host": config.get("server") or config.get("host") or ""}


def _file_out(config: Config, entries: Entries) -> Config:
    action = {"true": "overwrite", "false": "append", "delete": "delete"}.get(
        str(config.get("overwriteFile")).lower(), "append"
    )
    return {
        **config,
        "action": "write" if action == "overwrite" else action,
        "addNewline": config.get("appendNewline", True),
    }


def _websocket(config: Config, entries: Entries) -> Config:
    listener = entries.get(str(config.get("server") or ""), {})
    client = entries.get(str(config.get("client") or ""), {})
    if client and not listener:
        return {
            **config,
            "url": client.get("path") or "",
            "subprotocols": [name for name in str(client.get("subprotocol") or "").split(",") if name],
            "nodeRed": True,
        }
    return {
        **config,
        "path": listener.get("path") or "/ws/nodes",
        "wholemsg": listener.get("wholemsg") or False,
        "nodeRed": True,
    }


def _serial(config: Config, entries: Entries) -> Config:
    port = entries.get(str(config.get("serial") or ""), {})
    ends = str(port.get("newline", "\\n")) if port.get("out", "char") == "char" else ""
    return {
        **config,
        "port": port.get("serialport") or "",
        "baudRate": port.get("serialbaud") or 9600,
        "dataBits": port.get("databits") or 8,
        "stopBits": port.get("stopbits") or 1,
        "parity": port.get("parity") or "none",
        "delimiter": ends,
        "binary": port.get("bin") == "bin",
        "addText": ends if port.get("addchar") in (True, "true") else port.get("addchar") or "",
        "nodeRed": True,
    }


def _inject(config: Config, entries: Entries) -> Config:
    return {"once": False, **config, "nodeRed": True}


_CHANGES: dict[str, Callable[[Config, Entries], Config]] = {
    "mqtt in": _mqtt,
    "mqtt out": _mqtt,
    "http in": _http_in,
    "udp in": _udp("listen"),
    "udp out": _udp("send"),
    "tcp request": _tcp,
    "websocket in": _websocket,
    "websocket out": _websocket,
    "serial in": _serial,
    "serial out": _serial,
    "file": _file_out,
    "inject": _inject,
}
