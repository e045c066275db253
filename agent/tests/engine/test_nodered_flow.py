# ruff: noqa: E501  tables of flows and code read better unbroken
"""One flow with inject, function, switch, change, template, split, delay, join, mqtt, json, http request and debug, in
Node-RED and in our engine, against a real mosquitto and a real HTTP server: the messages agree one by one.

Not compared, with the reasons: `_msgid` and `parts.id` are made up anew; `headers`, `responseUrl`, `redirectList`,
`responseCookies` and `retry` are what either HTTP client makes of the answer; `qos`, `retain` and `_topic` are notes of
either MQTT client.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.tests.engine.test_against_nodered import plain, start_peer, stop_peer
from edgeflow_agent.engine import Engine
from tools.programs import MOSQUITTO

pytestmark = pytest.mark.skipif(MOSQUITTO.find() is None, reason=MOSQUITTO.advice)
NOT_COMPARED = (
    "headers",
    "responseUrl",
    "redirectList",
    "responseCookies",
    "retry",
    "qos",
    "retain",
    "_topic",
)


def flow(broker: int, server: int, prefix: str) -> list[dict[str, Any]]:
    """Readings come in by button, go round through MQTT, and each is looked up over HTTP."""
    nodes: list[dict[str, Any]] = [
        {"id": "inject", "type": "inject", "props": [{"p": "payload"}, {"p": "topic", "vt": "str"}], "repeat": "", "crontab": "",
         "once": False, "onceDelay": 0.1, "topic": "readings", "payload": "[]", "payloadType": "json", "wires": [["function"]]},
        {"id": "function", "type": "function", "outputs": 1, "timeout": 0, "noerr": 0, "initialize": "", "finalize": "", "libs": [],
         "func": "const n = (context.get('n') || 0) + 1; context.set('n', n);\nmsg.payload = msg.payload.map((r) => ({...r, n, celsius: Math.round((r.f - 32) / 1.8 * 10) / 10}));\nreturn msg;",
         "wires": [["split"]]},
        {"id": "split", "type": "split", "splt": "\\n", "spltType": "str", "arraySplt": 1, "arraySpltType": "len", "stream": False, "addname": "",
         "property": "payload", "wires": [["switch"]]},
        {"id": "switch", "type": "switch", "property": "payload.celsius", "propertyType": "msg", "checkall": "false", "repair": False, "outputs": 3,
         "rules": [{"t": "lt", "v": "0", "vt": "num"}, {"t": "btwn", "v": "0", "vt": "num", "v2": "30", "v2t": "num"}, {"t": "else"}],
         "wires": [["cold"], ["mild"], ["hot"]]},
        *({"id": name, "type": "change", "rules": [{"t": "set", "p": "payload.state", "pt": "msg", "to": name, "tot": "str"},
                                                   {"t": "delete", "p": "payload.f", "pt": "msg"}], "wires": [["template"]]}
          for name in ("cold", "mild", "hot")),
        {"id": "template", "type": "template", "field": "text", "fieldType": "msg", "format": "handlebars", "syntax": "mustache", "output": "str",
         "template": "{{payload.name}} is {{payload.state}} <{{topic}}>", "wires": [["delay"]]},
        {"id": "delay", "type": "delay", "pauseType": "delay", "timeout": "20", "timeoutUnits": "milliseconds", "rate": "1", "nbRateUnits": "1",
         "rateUnits": "second", "randomFirst": "1", "randomLast": "5", "randomUnits": "seconds", "drop": False, "allowrate": False, "outputs": 1,
         "wires": [["join", "each"]]},
        {"id": "each", "type": "debug", "active": True, "tosidebar": True, "complete": "true", "wires": []},
        {"id": "join", "type": "join", "mode": "auto", "build": "object", "property": "payload", "propertyType": "msg", "key": "topic", "joiner": "\\n",
         "joinerType": "str", "accumulate": True, "timeout": "", "count": "", "wires": [["out", "joined"]]},
        {"id": "joined", "type": "debug", "active": True, "tosidebar": True, "complete": "true", "wires": []},
        {"id": "out", "type": "mqtt out", "topic": f"{prefix}/out", "qos": "1", "retain": "false", "respTopic": "", "contentType": "",
         "userProps": "", "correl": "", "expiry": "", "broker": "broker", "wires": []},
        {"id": "in", "type": "mqtt in", "topic": f"{prefix}/#", "qos": "1", "datatype": "utf8", "broker": "broker", "nl": False, "rap": True,
         "rh": 0, "inputs": 0, "wires": [["json", "heard"]]},
        {"id": "heard", "type": "debug", "active": True, "tosidebar": True, "complete": "true", "wires": []},
        {"id": "json", "type": "json", "property": "payload", "action": "", "pretty": False, "wires": [["again"]]},
        {"id": "again", "type": "split", "splt": "\\n", "spltType": "str", "arraySplt": 1, "arraySpltType": "len", "stream": False, "addname": "",
         "property": "payload", "wires": [["ask"]]},
        {"id": "ask", "type": "http request", "method": "GET", "ret": "obj", "paytoqs": "ignore", "url": f"http://127.0.0.1:{server}/at/{{{{payload.name}}}}",
         "tls": "", "persist": False, "proxy": "", "insecureHTTPParser": False, "authType": "", "senderr": False, "headers": [], "wires": [["answer"]]},
        {"id": "answer", "type": "debug", "active": True, "tosidebar": True, "complete": "true", "wires": []},
    ]  # fmt: skip
    placed = [{**node, "z": "tab", "x": 1, "y": 1, "name": ""} for node in nodes]
    config = {"id": "broker", "type": "mqtt-broker", "name": "", "broker": "127.0.0.1", "port": str(broker), "clientid": "", "autoConnect": True,
              "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": True, "autoUnsubscribe": True,
              "birthTopic": "", "closeTopic": "", "willTopic": ""}  # fmt: skip
    return [
        {"id": "tab", "type": "tab", "label": "Whole", "disabled": False, "info": "", "env": []},
        config,
        *placed,
    ]


READINGS = [
    [{"name": "door", "f": 20}, {"name": "hall", "f": 70.5}, {"name": "oven", "f": 451}],
    [{"name": "roof", "f": 32}],
]
TAPS = ("each", "joined", "heard", "answer")
EXPECTED = sum(map(len, READINGS))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[int]:
    port = free_port()
    (tmp_path / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
    )
    process = await asyncio.create_subprocess_exec(
        str(MOSQUITTO.find()), "-c", tmp_path / "mosquitto.conf", stderr=asyncio.subprocess.DEVNULL
    )
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except OSError:
            await asyncio.sleep(0.05)
    yield port
    process.terminate()
    await process.wait()


@pytest.fixture
async def web() -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, _ = head.split(b" ", 2)
            body = json.dumps({"method": method.decode(), "path": path.decode(), "höhe": 1.5}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )
            await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def compared(messages: list[Any]) -> list[Any]:
    found = [
        {key: value for key, value in plain(message).items() if key not in NOT_COMPARED}
        for message in messages
    ]
    for message in found:
        if isinstance(message.get("topic"), str):
            message["topic"] = message["topic"].replace("theirs/", "prefix/").replace("ours/", "prefix/")
    return sorted(found, key=lambda message: json.dumps(message.get("payload"), sort_keys=True))


async def wait_for_all(taps: dict[str, list[Any]], last: str) -> None:
    async with asyncio.timeout(20):
        while len(taps.get(last, [])) < (EXPECTED if last == "answer" else len(READINGS)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)  # Nothing more comes.


async def theirs(broker: int, web: int, folder: Path) -> dict[str, list[Any]]:
    folder.mkdir()
    peer, listening = await start_peer(flow(broker, web, "theirs"), folder)
    await asyncio.sleep(1.0)  # Its subscription stands.
    for readings in READINGS:
        peer.send("function", {"payload": readings, "topic": "readings"})
        await asyncio.sleep(0.2)
    await wait_for_all(peer.taps, "answer")
    await stop_peer(peer, listening)
    return peer.taps


async def ours(broker: int, web: int) -> dict[str, list[Any]]:
    engine = Engine()
    await engine.deploy({"flows": flow(broker, web, "ours")})
    engine.subscribe("debug")
    await engine.start("tab")
    taps: dict[str, list[Any]] = {}
    for name in TAPS:
        node: Any = engine.node("tab", name)
        node.forward = taps.setdefault(name, []).append
    await asyncio.sleep(1.0)
    for readings in READINGS:
        engine.inject("tab", "function", {"payload": json.loads(json.dumps(readings)), "topic": "readings"})
        await asyncio.sleep(0.2)
    await wait_for_all(taps, "answer")
    await engine.close()
    return taps


def agree(mine: dict[str, list[Any]], peer: dict[str, list[Any]], taps: tuple[str, ...]) -> None:
    for tap in taps:
        assert len(peer[tap]) == (EXPECTED if tap in ("each", "answer") else len(READINGS)), tap
        assert compared(mine[tap]) == compared(peer[tap]), tap


async def test_the_whole_flow_agrees_one_by_one(broker: int, web: int, tmp_path: Path) -> None:
    peer, mine = await theirs(broker, web, tmp_path / "peer"), await ours(broker, web)
    agree(mine, peer, TAPS)
