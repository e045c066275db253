# ruff: noqa: E501  tables of flows read better unbroken
"""The network types against real peers: mosquitto, web servers, WebSocket, TCP, UDP, files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from websockets.asyncio.server import ServerConnection, serve
from werkzeug import Request, Response

from agent.tests.engine.conftest import Bench
from agent.tests.nodes.conftest import free_port
from edgeflow_agent.engine import FlowRefused
from edgeflow_agent.engine.node import NodeError
from edgeflow_agent.engine.nodes.network.listener import ADDRESS
from edgeflow_agent.engine.nodes.network.mqtt import read_payload
from tools.programs import MOSQUITTO

needs_mosquitto = pytest.mark.skipif(MOSQUITTO.find() is None, reason=MOSQUITTO.advice)


async def start_broker(folder: Path, port: int) -> asyncio.subprocess.Process:
    folder.mkdir(exist_ok=True)
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n"
    )
    process = await asyncio.create_subprocess_exec(
        str(MOSQUITTO.find()), "-c", str(folder / "mosquitto.conf"), stderr=asyncio.subprocess.DEVNULL
    )
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return process
    raise AssertionError("mosquitto did not start")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    port = free_port()
    process = await start_broker(tmp_path / "broker", port)
    state: dict[str, Any] = {"port": port, "process": process, "folder": tmp_path / "broker"}
    yield state
    with suppress(ProcessLookupError):  # a test may have killed it
        state["process"].terminate()
    await state["process"].wait()


def link(broker: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"broker": f"tcp://127.0.0.1:{broker['port']}", "username": "pump", "password": "secret", **more}


def seen(bench: Bench, node: str = "t") -> list[Any]:
    return bench.payloads(node)


@needs_mosquitto
async def test_mqtt_as_the_field_runtime_writes_it(bench: Bench, broker: dict[str, Any]) -> None:
    await bench.run(
        [
            {"id": "in", "type": "mqtt-in", "config": link(broker, topic="hall/+/t", qos=1)},
            {"id": "out", "type": "mqtt_out", "config": link(broker, qos=1)},
            {"id": "t", "type": "tap"},
        ],
        [("in", "t")],
    )
    await bench.until(bench.engine.node("f", "in")._broker.connected.is_set)  # type: ignore[attr-defined]
    await asyncio.sleep(0.2)
    bench.send("out", {"topic": "hall/1/t", "payload": {"celsius": 21.5}})
    bench.send("out", {"payload": {"topic": "hall/2/t", "payload": "warm", "qos": 0}})
    bench.send("out", {"topic": "elsewhere", "payload": 1})
    await bench.until(lambda: len(seen(bench)) == 2)
    first, second = seen(bench)
    assert first == {"topic": "hall/1/t", "payload": {"celsius": 21.5}, "qos": 1, "retained": False}
    assert second["payload"] == "warm"


@needs_mosquitto
async def test_mqtt_comes_back_when_the_broker_does(bench: Bench, broker: dict[str, Any]) -> None:
    await bench.run(
        [
            {"id": "in", "type": "mqtt-in", "config": link(broker, topic="a", datatype="utf8")},
            {"id": "out", "type": "mqtt-out", "config": link(broker, topic="a", connectTimeout=0.3)},
            {"id": "catch", "type": "catch"},
            {"id": "t", "type": "tap"},
            {"id": "e", "type": "tap"},
        ],
        [("in", "t"), ("catch", "e")],
    )
    links = [bench.engine.node("f", node)._broker for node in ("in", "out")]  # type: ignore[attr-defined]
    await bench.until(lambda: all(each.connected.is_set() for each in links))
    broker["process"].kill()
    await broker["process"].wait()
    # Ten seconds and more, when it goes between the connection and the answer to the subscription.
    await bench.until(lambda: not any(each.connected.is_set() for each in links), 20)
    bench.send("out", "lost")
    await bench.until(lambda: seen(bench, "e"))
    assert "does not answer" in bench.seen("e")[0]["error"]["message"]  # type: ignore[index]
    broker["process"] = await start_broker(broker["folder"], broker["port"])
    await bench.until(lambda: all(each.connected.is_set() for each in links), 20)
    await asyncio.sleep(0.2)
    bench.send("out", "again")
    await bench.until(lambda: seen(bench) == ["again"])


@needs_mosquitto
async def test_mqtt_says_what_is_wrong(bench: Bench, broker: dict[str, Any]) -> None:
    with pytest.raises(FlowRefused, match="not an address"):
        await bench.run([{"id": "in", "type": "mqtt-in", "config": {"broker": "ftp://x", "topic": "a"}}], [])
    await bench.engine.remove("f")
    nodes = [
        {"id": "out", "type": "mqtt-out", "config": link(broker)},
        {"id": "catch", "type": "catch"},
        {"id": "e", "type": "tap"},
    ]
    await bench.run(nodes, [("catch", "e")])
    bench.send("out", {"payload": 1, "topic": "a/#"})
    await bench.until(lambda: bench.seen("e"))
    assert "no topic to publish to" in str(bench.seen("e")[0]["error"])


def test_payloads_as_node_red_reads_them() -> None:
    assert read_payload(b'{"a":1}', "auto-detect") == {"a": 1}
    assert read_payload(b"warm", "auto-detect") == "warm"
    assert read_payload(b'{"a":1}', "utf8") == '{"a":1}'
    assert read_payload(b"\xff", "auto") == b"\xff"
    assert read_payload(b"hi", "base64") == "aGk="
    assert read_payload(b"hi", "buffer") == b"hi"
    with pytest.raises(NodeError, match="not JSON"):
        read_payload(b"hi", "json")


async def test_http_request(bench: Bench, httpserver: HTTPServer) -> None:
    def echo(request: Request) -> Response:
        return Response(
            f'{{"method":"{request.method}","who":"{request.headers.get("X-Who", "")}",'
            f'"query":"{request.query_string.decode()}","body":{request.get_data().decode() or "null"}}}',
            content_type="application/json",
        )

    httpserver.expect_request("/echo/ä b").respond_with_handler(echo)
    url = httpserver.url_for("/echo/{{payload.name}}")
    config = {"method": "POST", "url": url, "headers": {"X-Who": "me"}}
    sent = await bench.through("http-request", config, {"payload": {"name": "ä b"}})
    answer: Any = sent[0][0]["payload"]
    assert answer["statusCode"] == 200
    assert answer["body"] == {"method": "POST", "who": "me", "query": "", "body": {"name": "ä b"}}
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["duration"] >= 0
    config = {"method": "GET", "url": httpserver.url_for("/echo/ä b"), "ret": "obj", "paytoqs": "query"}
    sent = await bench.through("http-request", config, {"payload": {"a": 1}})
    assert sent[0][0]["payload"]["query"] == "a=1"  # type: ignore[index]
    assert sent[0][0]["statusCode"] == 200


async def test_http_request_tries_again_and_gives_up_clearly(bench: Bench, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/flaky").respond_with_data("no", status=503)
    httpserver.expect_ordered_request("/flaky").respond_with_data("yes")
    config = {"url": httpserver.url_for("/flaky"), "retryCount": 2, "retryDelay": 10}
    sent = await bench.through("http-request", config, "go")
    assert sent[0][0]["payload"]["body"] == "yes"  # type: ignore[index]
    nodes = [
        {"id": "n", "type": "http-request", "config": {"url": f"http://127.0.0.1:{free_port()}/"}},
        {"id": "catch", "type": "catch"},
        {"id": "e", "type": "tap"},
    ]
    await bench.engine.remove("f")
    await bench.run(nodes, [("catch", "e")])
    bench.send("n", "go")
    await bench.until(lambda: bench.seen("e"))
    assert "No answer from http://127.0.0.1" in str(bench.seen("e")[0]["error"])


async def test_http_request_gets_a_token(bench: Bench, httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request("/token", method="POST").respond_with_json(
        {"access_token": "t0ken", "expires_in": 3600}
    )
    httpserver.expect_request("/data", headers={"authorization": "Bearer t0ken"}).respond_with_data("in")
    oauth = {"tokenUrl": httpserver.url_for("/token"), "clientId": "c", "clientSecret": "s"}
    sent = await bench.through(
        "http-request", {"url": httpserver.url_for("/data"), "oauth2": oauth}, "a", "b"
    )
    assert [message["payload"]["body"] for message in sent[0]] == ["in", "in"]  # type: ignore[index]


@pytest.fixture
def flows_address(monkeypatch: pytest.MonkeyPatch) -> str:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv(ADDRESS, address)
    return f"http://{address}"


async def test_a_flow_answers_web_requests(bench: Bench, flows_address: str) -> None:
    await bench.run(
        [
            {"id": "in", "type": "http-in", "config": {"path": "/orders/:number", "method": "POST", "cors": True}},
            {"id": "fn", "type": "change", "config": {"rules": [{"t": "set", "p": "payload.seen", "to": "true", "tot": "bool"}]}},
            {"id": "out", "type": "http-response", "config": {"statusCode": 201, "headers": {"X-Flow": "yes"}}},
            {"id": "hook", "type": "http-webhook", "config": {"path": "/hook", "authType": "bearer", "authValue": "key", "headers": {"X-Seen": "yes"}}},
            {"id": "t", "type": "tap"},
        ],
        [("in", "fn"), ("fn", "out"), ("hook", "t")],
    )  # fmt: skip
    async with httpx2.AsyncClient(base_url=flows_address, trust_env=False) as web:
        answer = await web.post("/orders/7?fast=1", json={"item": "bolt"})
        assert answer.status_code == 201
        assert answer.json() == {"item": "bolt", "seen": True}
        assert answer.headers["x-flow"] == "yes"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert (await web.get("/orders/7")).status_code == 404
        assert (await web.post("/hook", content="x")).status_code == 401
        good = await web.post("/hook", content="x", headers={"authorization": "Bearer key"})
        assert (good.json(), good.headers["x-seen"]) == ({"status": "ok"}, "yes")
        await bench.until(lambda: bench.payloads("t") == ["x"])
        request: Any = bench.seen("t")[0]["req"]
        assert request["path"] == "/hook"
        assert (await web.post("/hook", content=b"x" * (5 << 20))).status_code == 413
    await bench.engine.stop("f")
    with pytest.raises(OSError, match=r"."):
        await asyncio.open_connection(*flows_address.removeprefix("http://").split(":"))


async def test_one_path_has_one_node(bench: Bench, flows_address: str) -> None:
    nodes = [{"id": name, "type": "http-in", "config": {"path": "/same"}} for name in "ab"]
    with pytest.raises(FlowRefused, match="serves ALL /same already"):
        await bench.run(nodes, [])


async def test_a_taken_address_is_said(bench: Bench, flows_address: str) -> None:
    host, port = flows_address.removeprefix("http://").split(":")
    taken = await asyncio.start_server(lambda r, w: None, host, int(port))
    with pytest.raises(FlowRefused, match=ADDRESS):
        await bench.run([{"id": "a", "type": "http-in", "config": {"path": "/a"}}], [])
    taken.close()


async def test_websocket_client(bench: Bench) -> None:
    async def answer(connection: ServerConnection) -> None:
        async for data in connection:
            await connection.send(f"you said {data!r}")
            if data == "bye":
                return

    async with serve(answer, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        config = {"url": f"ws://127.0.0.1:{port}/", "reconnectDelay": 20}
        await bench.run(
            [{"id": "n", "type": "websocket-client", "config": config}, {"id": "t", "type": "tap"}],
            [("n", "t")],
        )
        bench.send("n", {"payload": {"send": "bye"}})
        await bench.until(lambda: bench.payloads("t") == [{"data": "you said 'bye'"}])
        await asyncio.sleep(0.2)  # The server closed; it comes back.
        bench.send("n", "again")
        await bench.until(lambda: len(bench.payloads("t")) == 2)


async def test_tcp_client(bench: Bench) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        writer.write(b"echo " + line)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        config = {"host": "127.0.0.1", "port": port, "reconnectDelay": 20}
        await bench.run(
            [{"id": "n", "type": "tcp-client", "config": config}, {"id": "t", "type": "tap"}], [("n", "t")]
        )
        bench.send("n", {"payload": {"send": "one\n"}})
        await bench.until(lambda: bench.payloads("t") == [{"data": "echo one\n"}])
        await asyncio.sleep(0.3)
        bench.send("n", "two\n")
        await bench.until(lambda: {"data": "echo two\n"} in bench.payloads("t"))


async def test_udp_both_ways(bench: Bench) -> None:
    port = free_port()
    await bench.run(
        [
            {"id": "in", "type": "udp", "config": {"mode": "listen", "host": "127.0.0.1", "port": port}},
            {"id": "out", "type": "udp", "config": {"mode": "send", "host": "127.0.0.1", "port": port}},
            {"id": "t", "type": "tap"},
        ],
        [("in", "t")],
    )
    bench.send("out", {"payload": {"send": "21.5"}})
    bench.send("out", b"\xff\xfe")
    await bench.until(lambda: len(bench.payloads("t")) == 2)
    first, second = bench.payloads("t")
    assert first["data"] == "21.5"  # type: ignore[index]
    assert first["size"] == 4  # type: ignore[index]
    assert second["data"] == b"\xff\xfe"  # type: ignore[index]


async def test_files(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log.txt"
    config = {"filename": str(path), "action": "append", "createDir": True, "addNewline": True}
    await bench.through("file-out", config, {"payload": {"content": "one"}}, "zwö")
    assert path.read_bytes() == "one\nzwö\n".encode()
    sent = await bench.through("file-in", {"filename": str(path), "format": "lines"}, "go")
    assert sent[0][0]["payload"] == {"data": ["one", "zwö"]}
    sent = await bench.through(
        "file-in", {"filename": "", "format": "binary"}, {"payload": 1, "filename": str(path)}
    )
    assert sent[0][0]["payload"] == {"data": path.read_bytes()}
    await bench.through("file-out", {"filename": str(path), "action": "write"}, "whole")
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["log.txt"]
    await bench.through("file-out", {"filename": str(path), "action": "delete"}, "x")
    assert not path.exists()


async def test_a_file_that_is_not_there_is_an_error_of_the_message(bench: Bench, tmp_path: Path) -> None:
    nodes = [
        {"id": "n", "type": "file-in", "config": {"filename": str(tmp_path / "none")}},
        {"id": "catch", "type": "catch"},
        {"id": "e", "type": "tap"},
    ]
    await bench.run(nodes, [("catch", "e")])
    bench.send("n", "go")
    await bench.until(lambda: bench.seen("e"))
    assert "cannot be read: No such file" in str(bench.seen("e")[0]["error"])


async def test_watch(bench: Bench, tmp_path: Path) -> None:
    config = {"path": str(tmp_path), "interval": 50}
    await bench.run(
        [{"id": "n", "type": "watch", "config": config}, {"id": "t", "type": "tap"}], [("n", "t")]
    )
    (tmp_path / "a").write_text("1")
    await bench.until(lambda: len(bench.seen("t")) == 1)
    (tmp_path / "a").write_text("22")
    await bench.until(lambda: len(bench.seen("t")) == 2)
    (tmp_path / "a").unlink()
    await bench.until(lambda: len(bench.seen("t")) == 3)
    assert [message["event"] for message in bench.seen("t")] == ["add", "update", "remove"]
    assert bench.seen("t")[0]["payload"] == str(tmp_path / "a")
