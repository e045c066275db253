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


async def test_nodes_and_connections_one_by_one(start_agent: StartAgent) -> None:
    port = await ready(await start_agent())
    _, made = await call(port, "POST", f"{API}/flows", {"name": "Parts"})
    path = f"{API}/flows/{made['id']}"
    status, source = await call(
        port, "POST", f"{path}/nodes", {"type": "inject", "name": "In", "position": [5, 6]}
    )
    assert (status, source["type"], source["name"], source["x"]) == (201, "inject", "In", 5)
    config = {"rules": [{"t": "eq", "v": 1}, {"t": "else"}]}
    _, switch = await call(port, "POST", f"{path}/nodes", {"type": "switch", "config": config})
    _, sink = await call(port, "POST", f"{path}/nodes", {"type": "debug", "id": "sink"})
    assert sink["id"] == "sink"
    status, listed = await call(port, "GET", f"{path}/nodes")
    assert (listed["flow_id"], listed["count"], set(listed["nodes"])) == (
        made["id"],
        3,
        {source["id"], switch["id"], "sink"},
    )
    ends = {"source_id": source["id"], "target_id": switch["id"]}
    status, wire = await call(port, "POST", f"{path}/connections", ends)
    assert (status, wire["source_id"], wire["target_id"]) == (201, source["id"], switch["id"])
    assert wire["message"]
    assert (await call(port, "POST", f"{path}/connections", ends))[0] == 400
    ends = {"source_id": switch["id"], "target_id": "sink", "source_output": 1}
    _, second = await call(port, "POST", f"{path}/connections", ends)
    assert second["sourceOutput"] == 1
    status, moved = await call(port, "PUT", f"{path}/connections/{second['id']}", {"source_output": 0})
    assert (status, moved["sourceOutput"]) == (200, 0)
    assert (await call(port, "GET", f"{path}/connections/{moved['id']}"))[1]["target"] == "sink"
    assert (await call(port, "GET", f"{path}/connections"))[1]["count"] == 2
    status, changed = await call(port, "PUT", f"{path}/nodes/sink", {"config": {"complete": True}})
    assert (status, changed["config"]) == (200, {"complete": True})
    status, answer = await call(port, "PUT", f"{path}/nodes/{switch['id']}", {"config": {"rules": []}})
    assert (status, "'rules'" in answer["error"]) == (400, True)
    assert (await call(port, "DELETE", f"{path}/nodes/{switch['id']}"))[1]["id"] == switch["id"]
    assert (await call(port, "GET", f"{path}/connections"))[1]["count"] == 0
    for part in ("nodes/none", "connections/none"):
        for method in ("GET", "DELETE"):
            assert (await call(port, method, f"{path}/{part}"))[0] == 404
    assert (await call(port, "POST", f"{path}/nodes", {"name": "x"}))[0] == 400
    assert (await call(port, "POST", f"{path}/connections", {"source_id": "sink", "target_id": "none"}))[
        0
    ] == 404
    assert (await call(port, "GET", f"{API}/flows/none/nodes"))[0] == 404


async def test_a_part_of_a_flow_of_node_red(start_agent: StartAgent) -> None:
    """Its definition is Node-RED's JSON; what is changed of it is kept in our words, and all else stays."""
    port = await ready(await start_agent())
    nodes = [
        {"id": "a", "type": "inject", "z": "t", "topic": "x", "wires": [["b"]]},
        {"id": "b", "type": "debug", "z": "t", "wires": []},
        {"id": "t", "type": "tab", "label": "Tab", "env": [{"name": "A", "type": "str", "value": "1"}]},
    ]
    _, made = await call(port, "POST", f"{API}/flows", {"name": "Red", "flows": nodes})
    path = f"{API}/flows/{made['id']}"
    status, answer = await call(port, "PUT", f"{path}/nodes/b", {"name": "Out"})
    assert status == 200, answer
    _, flow = await call(port, "GET", path)
    assert (flow["nodes"]["b"]["name"], flow["nodes"]["a"]["config"]["topic"]) == ("Out", "x")
    assert [(wire["source"], wire["target"]) for wire in flow["connections"]] == [("a", "b")]


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
    _, entry = await call(port, "GET", f"{API}/node-types/mqtt-in")
    assert (entry["type"], entry["category"], entry["inputs"]) == ("mqtt-in", "input", [])
    assert {"name", "description", "icon", "color", "properties"} <= set(entry)
    assert entry["outputs"] == [{"name": "output", "label": "Output", "type": "any", "description": ""}]
    keys = {each["name"]: each for each in entry["properties"]}
    assert (keys["qos"]["min"], keys["qos"]["max"], keys["broker"]["placeholder"]) == (
        0,
        2,
        "tcp://localhost:1883",
    )
    assert keys["password"]["type"] == "password"
    _, entry = await call(port, "GET", f"{API}/node-types/gpio-in")
    keys = {each["name"]: each for each in entry["properties"]}
    assert (keys["pullMode"]["type"], keys["pullMode"]["options"]) == ("select", ["down", "none", "up"])
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
    agent = await start_agent(board="simulated")
    port = await ready(agent)
    watcher = await watch(port)
    await until(lambda: agent.feed.watchers == 1)
    assert (await call(port, "GET", f"{API}/health"))[1]["websocket_clients"] == 1
    _, made = await call(port, "POST", f"{API}/flows", flow())
    await call(port, "POST", f"{API}/flows/{made['id']}/start")
    seen: dict[str, Any] = {}
    kinds = {"log", "execution", "execution_ended", "flow_status", "node_status", "debug", "gpio_state"}
    async with asyncio.timeout(5):
        while not (kinds <= set(seen) and any(each["input"] for each in seen["execution"])):
            frame = json.loads(await watcher.recv())
            assert set(frame) == {"type", "timestamp", "data"}
            seen.setdefault(frame["type"], []).append(frame["data"])
    work = seen["execution"][0]
    assert {"node_name", "node_type", "status", "error", "execution_time", "timestamp"} <= set(work)
    worked = {each["node_id"]: each for each in seen["execution"] if each["input"] or each["output"]}
    assert worked["n1"]["output"]["_msgid"] == worked["n2"]["input"]["_msgid"]
    assert (work["flow_id"], work["status"], work["node_id"] in ("n1", "n2")) == (made["id"], "success", True)
    assert seen["execution_ended"][0]["flow_id"] == made["id"]
    assert seen["log"][0]["message"]
    assert seen["log"][0]["level"] in ("debug", "info", "warn", "error")
    assert [each["action"] for each in seen["flow_status"]] == ["created", "started"]
    assert {each["node_id"]: each["action"] for each in seen["node_status"]} == {"n1": "added", "n2": "added"}
    await call(port, "PUT", f"{API}/flows/{made['id']}/nodes/n2", {"type": "comment"})
    agent.pins.set(4, "output", 1)
    actions: list[str] = []
    pins: dict[str, Any] = {}
    async with asyncio.timeout(5):
        while "updated" not in actions or "4" not in pins:
            frame = json.loads(await watcher.recv())
            actions += [frame["data"]["action"]] if frame["type"] == "flow_status" else []
            pins |= frame["data"]["pins"] if frame["type"] == "gpio_state" else {}
    assert pins["4"]["value"] == 1
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
