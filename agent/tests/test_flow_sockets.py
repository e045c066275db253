"""websocket-in and websocket-out at the local API's port, with a real client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent.tests.conftest import StartAgent, until
from agent.tests.test_api import TOKEN, call, ready
from edgeflow_agent.deploy import Origin
from edgeflow_agent.engine import Engine, FlowRefused, read_flow

API = "/api/v1"
PATH = "/ws/pumps"


def echo(path: str = PATH) -> dict[str, Any]:
    """What a program says goes back to it in capitals; `all` goes to everybody."""
    return {
        "name": "Echo",
        "nodes": [
            {"id": "in", "type": "websocket-in", "config": {"path": path}},
            {"id": "f", "type": "change", "config": {"rules": [
                {"t": "change", "p": "payload.data", "pt": "msg", "from": "a", "fromt": "str", "to": "A"}]}},
            {"id": "s", "type": "switch", "config": {"property": "payload.data", "propertyType": "msg", "rules": [
                {"t": "eq", "v": "All", "vt": "str"}, {"t": "else"}]}},
            {"id": "d", "type": "change", "config": {"rules": [{"t": "delete", "p": "_session", "pt": "msg"}]}},
            {"id": "out", "type": "websocket-out", "config": {"path": path}},
        ],
        "connections": [
            {"source": "in", "target": "f"}, {"source": "f", "target": "s"},
            {"source": "s", "target": "d", "sourceOutput": 0}, {"source": "s", "target": "out", "sourceOutput": 1},
            {"source": "d", "target": "out"},
        ],
    }  # fmt: skip


async def reach(port: int, path: str = PATH, **options: Any) -> ClientConnection:
    return await connect(f"ws://127.0.0.1:{port}{path}", proxy=None, **options)


async def run(port: int, flow: dict[str, Any]) -> str:
    _, made = await call(port, "POST", f"{API}/flows", flow)
    status, answer = await call(port, "POST", f"{API}/flows/{made['id']}/start")
    assert status == 200, answer
    return str(made["id"])


async def heard(client: ClientConnection) -> str | bytes:
    async with asyncio.timeout(5):
        return await client.recv()


async def test_programs_talk_to_a_flow(start_agent: StartAgent) -> None:
    agent = await start_agent()
    port = await ready(agent)
    with pytest.raises(InvalidStatus):
        await reach(port)
    flow_id = await run(port, echo())
    one, other = await reach(port), await reach(port)
    await one.send("banana")
    assert await heard(one) == "bAnAnA"
    await one.send(["ba", "na", "na"])  # in fragments
    assert await heard(one) == "bAnAnA"
    await other.send(b"\x00\xff")
    assert await heard(other) == b"\x00\xff"
    await other.send("all")
    assert [await heard(one), await heard(other)] == ["All", "All"]
    await one.close()
    await until(lambda: (door := agent.engine.doors.find(PATH)) is not None and len(door.clients) == 1)
    await other.send("x" * 2_000_000)  # more than a message may have: it is sent away, others are not
    with pytest.raises(ConnectionClosed):
        await heard(other)
    third = await reach(port)
    assert (await call(port, "GET", PATH))[0] == 426
    await call(port, "POST", f"{API}/flows/{flow_id}/stop")
    with pytest.raises(ConnectionClosed):
        await heard(third)
    with pytest.raises(InvalidStatus):
        await reach(port)


async def test_node_reds_nodes_with_whole_messages(start_agent: StartAgent) -> None:
    port = await ready(await start_agent())
    document = [
        {"id": "l", "type": "websocket-listener", "path": PATH, "wholemsg": "true"},
        {"id": "in", "type": "websocket in", "z": "", "server": "l", "client": "", "wires": [["out"]]},
        {"id": "out", "type": "websocket out", "z": "", "server": "l", "client": "", "wires": []},
    ]
    agent_flow = {"name": "whole", "nodes": [], "connections": []}
    _, made = await call(port, "POST", f"{API}/flows", agent_flow)
    flow = read_flow({"flows": document}, made["id"])
    nodes = [{"id": n.id, "type": n.type, "config": n.config} for n in flow.nodes]
    wires = [{"source": w.source, "target": w.target, "sourceOutput": w.output} for w in flow.wires]
    await call(port, "PUT", f"{API}/flows/{made['id']}", {"nodes": nodes, "connections": wires})
    assert (await call(port, "POST", f"{API}/flows/{made['id']}/start"))[0] == 200
    client = await reach(port)
    await client.send(json.dumps({"payload": [1], "topic": "t"}))
    said = json.loads(await heard(client))
    assert (said["payload"], said["topic"], "_session" in said) == ([1], "t", False)
    await client.close()


async def test_who_may_reach_a_flow(start_agent: StartAgent) -> None:
    token = TOKEN.replace(" ", "-")
    agent = await start_agent(api_token=token)
    port = await ready(agent)
    await agent.flows.create({"id": "f", **echo()}, Origin.LOCAL)
    await agent.flows.start("f")
    for options in ({}, {"origin": "http://evil.example"}):
        with pytest.raises(InvalidStatus):
            await reach(port, **options)
    client = await reach(port, additional_headers={"Authorization": f"Bearer {token}"})
    await client.send("a")
    assert await heard(client) == "A"
    await client.close()


async def test_a_path_that_cannot_be(start_agent: StartAgent) -> None:
    agent = await start_agent()
    port = await ready(agent)
    for path, part in (("/ws", "device's own"), ("/api/v1/x", "device's own"), ("ws", "is not a path")):
        _, made = await call(port, "POST", f"{API}/flows", echo(path))
        status, answer = await call(port, "POST", f"{API}/flows/{made['id']}/start")
        assert (status, part in answer["error"]) == (400, True), answer
    engine = Engine()
    await engine.deploy({"id": "f", **echo()})
    with pytest.raises(FlowRefused, match="local API is off"):
        await engine.start("f")
    await engine.close()
