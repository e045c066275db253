"""The local API: published shapes, sentences for errors, and who is kept out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agent.tests.cloud_double import CloudDouble
from agent.tests.conftest import StartAgent, until
from edgeflow_agent.api import Guard, HttpServer, Request, Response
from edgeflow_agent.app import Agent, mask

TOKEN = "a token of sixteen or more"


async def call(
    port: int, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    given = {"Host": f"127.0.0.1:{port}", "Connection": "close"} | (headers or {})
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    if body is not None:
        given = {"Content-Type": "application/json", "Content-Length": str(len(content))} | given
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in given.items()), "", ""])
    return await raw(port, head.encode() + content)


async def raw(port: int, data: bytes) -> tuple[int, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(content) if content else None


async def ready(agent: Agent) -> int:
    await until(lambda: agent.api_port is not None)
    return agent.api_port or 0


async def test_the_published_routes(cloud: CloudDouble, start_agent: StartAgent) -> None:
    key = cloud.add_device()
    agent = await start_agent(device_id="dev_1", api_key=key, provisioning_code="PROV-X")
    port = await ready(agent)
    await until(lambda: agent.tunnel.connected)
    status, config = await call(port, "GET", "/api/v1/saas/config")
    assert status == 200
    assert config == {
        "enabled": True,
        "server_url": cloud.address,
        "device_id": "dev_1",
        "api_key": f"{key[:12]}…{key[-4:]}",
        "provisioning_code": "PROV-X",
        "enable_tls": False,
        "is_provisioned": True,
        "is_connected": True,
    }
    _, status_body = await call(port, "GET", "/api/v1/saas/status")
    assert status_body["connected"] is True
    assert status_body["status"] == "online"
    assert status_body["last_heartbeat"].endswith("Z")
    assert status_body["uptime"].endswith("s")
    assert (await call(port, "GET", "/api/v1/health"))[1]["status"] == "healthy"

    _, info = await call(port, "GET", "/api/v1/system/info")
    assert info["cpu"]["cores"] >= 1
    assert info["hostname"]
    _, stats = await call(port, "GET", "/api/v1/resources/stats")
    assert set(stats["cpu"]) == {"usage_percent", "cores"}
    assert {"total_bytes", "used_bytes", "available_bytes", "free_bytes", "percent", "usage_percent"} <= set(
        stats["memory"]
    )
    assert {"total_bytes", "used_bytes", "free_bytes", "percent", "usage_percent"} <= set(stats["disk"])
    assert {"temperature", "uptime", "load_avg", "timestamp", "goroutines"} <= set(stats)
    assert {"hostname", "os", "arch", "board_model", "uptime", "load_avg", "swap", "network"} <= set(
        stats["system"]
    )


async def test_put_merges_persists_and_reconnects(cloud: CloudDouble, start_agent: StartAgent) -> None:
    cloud.codes["PROV-X"] = None
    agent = await start_agent(provisioning_code="PROV-X")
    port = await ready(agent)
    await until(lambda: agent.tunnel.connected)
    other = await CloudDouble().start()
    key = other.add_device("dev_9")
    before = agent.describe_config()
    status, answer = await call(
        port,
        "PUT",
        "/api/v1/saas/config",
        {"server_url": other.address, "device_id": "dev_9", "api_key": key},
    )
    assert status == 200
    assert answer["api_key"] == mask(key)
    assert answer["enable_tls"] == before["enable_tls"]
    await until(lambda: other.lines)
    assert cloud.line.close_code == 1000

    # A form that is sent back as it was shown changes nothing.
    shown = {name: answer[name] for name in ("enabled", "server_url", "device_id", "api_key", "enable_tls")}
    assert (await call(port, "PUT", "/api/v1/saas/config", shown))[0] == 200
    await asyncio.sleep(0.1)
    assert len(other.lines) == 1

    agent.stop()
    await until(lambda: other.line.close_code == 1000)
    await asyncio.sleep(0.2)
    again = await start_agent(provisioning_code="PROV-X")
    await until(lambda: len(other.lines) == 2)
    assert again.describe_config()["device_id"] == "dev_9"
    assert (await call(await ready(again), "PUT", "/api/v1/saas/config", {"enabled": False}))[0] == 200
    await until(lambda: again.tunnel.status.status == "disabled")
    await other.stop()


async def test_provision_connect_disconnect(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await start_agent()
    port = await ready(agent)
    await until(lambda: agent.tunnel.status.status == "unprovisioned")
    status, answer = await call(port, "POST", "/api/v1/saas/provision", {"provisioning_code": "PROV-NO"})
    assert status == 400
    assert "unknown, used or expired" in answer["error"]
    cloud.codes["PROV-YES"] = None
    status, answer = await call(port, "POST", "/api/v1/saas/provision", {"provisioning_code": " PROV-YES "})
    assert (status, answer["device_id"]) == (200, "dev_1")
    assert answer["api_key"] == mask(cloud.keys["dev_1"])
    await until(lambda: agent.tunnel.connected)
    assert (await call(port, "POST", "/api/v1/saas/connect"))[1] == {"message": "Already connected"}
    assert (await call(port, "POST", "/api/v1/saas/disconnect"))[0] == 200
    await until(lambda: agent.tunnel.status.status == "disconnected")
    assert cloud.line.close_code == 1000
    await asyncio.sleep(0.3)
    assert not agent.tunnel.connected
    assert (await call(port, "POST", "/api/v1/saas/connect"))[1] == {"message": "Connecting…"}
    await until(lambda: agent.tunnel.connected)


async def test_wrong_bodies_are_sentences(start_agent: StartAgent) -> None:
    port = await ready(await start_agent())
    for body, part in (
        (b"{half", "not JSON"),
        ({"enabled": "yes"}, "Expected `bool`"),
        ({"server": "x"}, "unknown field `server`"),
        ({"server_url": "http://x"}, "without http://"),
        ({"device_id": "dev_1", "api_key": "\n"}, "printable"),
    ):
        status, answer = await call(port, "PUT", "/api/v1/saas/config", body)
        assert status == 400
        assert part in answer["error"], answer
    assert (await call(port, "GET", "/api/v1/nothing"))[0] == 404
    assert (await call(port, "DELETE", "/api/v1/saas/config"))[1] == {
        "error": "Use GET, PUT here, not DELETE."
    }
    status, _ = await call(port, "PUT", "/api/v1/saas/config", {}, {"Content-Type": "text/plain"})
    assert status == 415


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "192.168.1.5"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "localhost:x"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "localhost:1", "Origin": "http://localhost:1"}, 200),
    ],
)
async def test_a_page_from_elsewhere_is_kept_out(
    start_agent: StartAgent, headers: dict[str, str], status: int
) -> None:
    port = await ready(await start_agent())
    assert (await call(port, "GET", "/api/v1/saas/config", None, headers))[0] == status


async def test_with_a_token_only_health_is_open(start_agent: StartAgent) -> None:
    port = await ready(await start_agent(api_token=TOKEN))
    assert (await call(port, "GET", "/api/v1/health"))[0] == 200
    for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
        assert (await call(port, "GET", "/api/v1/saas/status", None, wrong))[0] == 401
    assert (await call(port, "GET", "/api/v1/saas/status", None, {"Authorization": f"Bearer {TOKEN}"}))[
        0
    ] == 200
    guard = Guard(TOKEN)
    assert guard.refuse(Request("GET", "/api/v1/health", {"host": "192.168.1.5:8080"})) is None


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20000 + b"\r\n\r\n", 431),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
    ],
)
async def test_what_is_not_http_is_refused(data: bytes, status: int) -> None:
    async def handle(request: Request) -> Response:
        raise AssertionError(request)

    server = HttpServer(handle)
    port = await server.start("127.0.0.1", 0)
    assert (await raw(port, data))[0] == status
    await server.stop()


async def test_connections_are_kept_and_bounded() -> None:
    async def handle(request: Request) -> Response:
        if request.path == "/bug":
            raise RuntimeError
        return Response(200, {"path": request.path})

    server = HttpServer(handle)
    port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /bug HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    both = await reader.read()
    assert b'{"path":"/one"}' in both
    assert b"HTTP/1.1 500" in both
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
    await asyncio.sleep(0.1)
    assert sum(reader.at_eof() for reader, _ in idle) == 8
    for _, other in idle:
        other.close()
    writer.close()
    await server.stop()


async def test_a_taken_port_is_said_and_the_tunnel_goes_on(
    cloud: CloudDouble, start_agent: StartAgent, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    agent = await start_agent(device_id="dev_1", api_key=cloud.add_device(), server_port=port)
    await until(lambda: agent.tunnel.connected)
    assert agent.api_port is None
    assert f"port {port} is taken by another program. Set EDGEFLOW_SERVER_PORT" in caplog.text
    taken.close()
