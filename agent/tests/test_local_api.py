"""Flows, executions, node types, pins, the lock, the page and `/ws` over the local API."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from agent.tests.cloud_double import CloudDouble
from agent.tests.conftest import StartAgent, until
from agent.tests.test_api import TOKEN, call, ready
from agent.tests.test_flows import flow

API = "/api/v1"


async def test_flows_in_the_published_shapes(start_agent: StartAgent) -> None:
    agent = await start_agent()
    port = await ready(agent)
    status, made = await call(port, "POST", f"{API}/flows", {"name": "Counter"})
    assert (status, made["nodes"], made["status"], made["config"]) == (201, {}, "stopped", {})
    path = f"{API}/flows/{made['id']}"
    parts = {name: flow()[name] for name in ("nodes", "connections")}
    status, changed = await call(port, "PUT", path, parts)
    assert (status, set(changed["nodes"]), changed["version"]) == (200, {"n1", "n2"}, 2)
    assert changed["connections"][0]["source"] == changed["connections"][0]["source_id"] == "n1"
    status, started = await call(port, "POST", f"{path}/start")
    assert (status, started["message"], started["id"]) == (200, "Flow started", made["id"])
    status, listed = await call(port, "GET", f"{API}/flows")
    assert (listed["count"], listed["flows"][0]["status"]) == (1, "running")
    await asyncio.sleep(0.3)
    status, runs = await call(port, "GET", f"{API}/executions")
    assert runs["count"] >= 1
    run = runs["executions"][-1]
    assert {"id", "flow_id", "status", "start_time", "node_count", "node_events"} <= set(run)
    assert (await call(port, "GET", f"{API}/executions/{run['id']}"))[1]["id"] == run["id"]
    assert (await call(port, "GET", f"{API}/executions?status=failed"))[1]["count"] == 0
    nothing = await call(port, "POST", f"{path}/rollback")
    assert (nothing[0], "no version" in nothing[1]["error"]) == (400, True)
    assert (await call(port, "PUT", path, {"name": "Better"}))[1]["version"] == 3
    await until(lambda: (state := agent.runtime.deployer.state(made["id"])) and state.previous)
    assert (await call(port, "POST", f"{path}/rollback"))[1]["version"] == 2
    assert (await call(port, "POST", f"{path}/stop"))[1]["message"] == "Flow stopped"
    assert (await call(port, "DELETE", path))[1] == {"message": "Flow deleted", "id": made["id"]}
    assert (await call(port, "GET", path))[0] == 404


async def test_what_cannot_be_is_a_sentence(start_agent: StartAgent) -> None:
    port = await ready(await start_agent())
    for method, path, body, status, part in (
        ("POST", "/flows", {}, 400, "`name`"),
        ("POST", "/flows", {"name": "x", "nodes": [{"id": "a", "type": "nope"}]}, 400, "nope"),
        ("GET", "/flows/none", None, 404, "no flow none"),
        ("POST", "/flows/none/start", None, 404, "no flow none"),
        ("POST", "/flows/none/fly", None, 404, "nothing at"),
        ("GET", "/executions/none", None, 404, "no execution"),
        ("GET", "/node-types/none", None, 404, "no node type"),
        ("PUT", "/update-lock", {"locked": "yes"}, 400, "bool"),
    ):
        found, answer = await call(port, method, API + path, body)
        assert (found, part in answer["error"]) == (status, True), (path, answer)


async def test_catalogue_resources_pins_and_lock(start_agent: StartAgent) -> None:
    agent = await start_agent(board="simulated")
    port = await ready(agent)
    _, catalogue = await call(port, "GET", f"{API}/node-types")
    assert catalogue["count"] == len(catalogue["node_types"]) >= 2
    assert sum(each["count"] for each in catalogue["categories"]) == catalogue["count"]
    assert (await call(port, "GET", f"{API}/node-types/inject"))[1]["type"] == "inject"
    _, report = await call(port, "GET", f"{API}/resources/report")
    assert report["memory"]["percent"].endswith("%")
    assert report["cpu"]["cores"] >= 1
    agent.pins.set(17, "output", 1)
    _, state = await call(port, "GET", f"{API}/gpio/state")
    assert state["available"]
    assert state["pins"]["17"]["value"] == 1
    assert (await call(port, "PUT", f"{API}/update-lock", {"locked": True, "reason": "Busy."}))[1] == {
        "locked": True,
        "reason": "Busy.",
    }
    assert (agent.settings.agent_dir / "update.lock").read_text() == "Busy."
    assert not (await call(port, "PUT", f"{API}/update-lock", {"locked": False}))[1]["locked"]


async def test_the_page_says_nothing_by_itself(start_agent: StartAgent) -> None:
    port = await ready(await start_agent(api_token=TOKEN))
    for path, part in (
        ("/", b"Provisioning code"),
        ("/page.js", b"saas/provision"),
        ("/page.css", b"--accent"),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert b"Content-Security-Policy: default-src 'none'" in head
        assert part in body
        writer.close()


async def watch(port: int, **options: Any) -> Any:
    return await connect(f"ws://127.0.0.1:{port}/ws", proxy=None, **options)


async def test_who_watches_sees_lines_and_executions(cloud: CloudDouble, start_agent: StartAgent) -> None:
    agent = await start_agent()
    port = await ready(agent)
    watcher = await watch(port)
    await until(lambda: agent.feed.watchers == 1)
    assert (await call(port, "GET", f"{API}/health"))[1]["websocket_clients"] == 1
    _, made = await call(port, "POST", f"{API}/flows", flow())
    await call(port, "POST", f"{API}/flows/{made['id']}/start")
    seen: dict[str, Any] = {}
    async with asyncio.timeout(5):
        while not {"log", "execution", "flow_status", "debug"} <= set(seen):
            frame = json.loads(await watcher.recv())
            assert set(frame) == {"type", "timestamp", "data"}
            seen[frame["type"]] = frame["data"]
    assert seen["execution"]["flow_id"] == made["id"]
    assert seen["log"]["message"]
    await watcher.send("ignored")
    await watcher.ping()
    await watcher.close()
    await until(lambda: agent.feed.watchers == 0)
    assert not agent.engine.streams.wanted("debug")


async def test_who_may_watch(start_agent: StartAgent) -> None:
    agent = await start_agent(api_token=TOKEN.replace(" ", "-"))
    port = await ready(agent)
    for options in ({}, {"subprotocols": ["edgeflow", "bearer.wrong"]}, {"origin": "http://evil.example"}):
        with pytest.raises(InvalidStatus):
            await watch(port, **options)
    watcher = await watch(port, subprotocols=["edgeflow", f"bearer.{TOKEN.replace(' ', '-')}"])
    assert watcher.subprotocol == "edgeflow"
    await watcher.close()
    assert (await call(port, "GET", "/ws", None, {"Authorization": f"Bearer {TOKEN.replace(' ', '-')}"}))[
        0
    ] == 426
