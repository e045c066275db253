# ruff: noqa: E501  tables of flows and code read better unbroken
"""Node-RED's subflows: beside Node-RED itself, and what is refused."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.tests.engine.conftest import Folder
from agent.tests.engine.nodered_subflows import CASES, COUNTER, Nodes, instance, tab
from agent.tests.engine.test_against_nodered import plain, start_peer, stop_peer
from edgeflow_agent.engine import Engine, FlowRefused, read_flow


def without_source(messages: list[Any]) -> list[Any]:
    """An error's source is a copy here, an id made up at the start there, and `_error` is how a function tells it there."""
    found = copy.deepcopy(messages)
    for message in found:
        message.pop("_error", None)
        if isinstance(message.get("error"), dict):
            message["error"] = message["error"]["message"]
    return found


def apart(prefix: str, value: Any, ids: set[str]) -> Any:
    """The document with ids of its own, so that one Node-RED runs all."""
    if isinstance(value, str):
        return prefix + value if value in ids else value
    if isinstance(value, list):
        return [apart(prefix, each, ids) for each in value]
    if not isinstance(value, dict):
        return value
    made = {
        key: each if key in ("type", "name", "label") else apart(prefix, each, ids)
        for key, each in value.items()
    }
    if str(made.get("type")).startswith("subflow:"):
        made["type"] = made["type"].replace("subflow:", f"subflow:{prefix}")
    return made


@pytest.fixture(scope="module")
async def answers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, dict[str, list[Any]]]]:
    """What reached Node-RED's debug nodes in each case."""
    names = {case: f"c{number}." for number, case in enumerate(CASES)}
    whole = [
        node
        for case in CASES
        for document in [with_doors(case)]
        for node in apart(names[case], document, {each["id"] for each in document})
    ]
    peer, listening = await start_peer(whole, tmp_path_factory.mktemp("node-red"))
    for case, (_, messages) in CASES.items():
        for node, payload in messages:
            peer.send(f"{names[case]}to-{node}", {"payload": payload})
            await asyncio.sleep(0.1)
    await asyncio.sleep(0.3)
    await stop_peer(peer, listening)
    yield {
        case: {
            tap.removeprefix(name): [plain(each) for each in got]
            for tap, got in peer.taps.items()
            if tap.startswith(name)
        }
        for case, name in names.items()
    }


async def ours(case: str) -> dict[str, list[Any]]:
    engine = Engine()
    flow = read_flow({"flows": with_doors(case)})
    await engine.deploy(flow)
    engine.subscribe("debug")
    await engine.start("tab")
    seen: dict[str, list[Any]] = {}
    for spec in flow.nodes:
        if spec.type == "debug":
            node: Any = engine.node("tab", spec.id)
            got = seen[spec.id] = []
            node.forward = lambda message, got=got: got.append(plain(message))
    for node_id, payload in CASES[case][1]:
        engine.inject("tab", f"to-{node_id}", {"payload": payload})
        await asyncio.sleep(0.05)
    await engine.close()
    return {tap: got for tap, got in seen.items() if got}


def with_doors(case: str) -> Nodes:
    """The case's flow with a node before each instance that is sent something."""
    document, messages = CASES[case]
    doors = [{"id": f"to-{node}", "type": "change", "z": "tab", "name": "", "rules": [{"t": "delete", "p": "nothing", "pt": "msg"}], "x": 1, "y": 1, "wires": [[node]]}
             for node in dict.fromkeys(node for node, _ in messages)]  # fmt: skip
    return [*document, *doors]


@pytest.mark.parametrize("case", CASES)
async def test_messages_agree(case: str, answers: dict[str, dict[str, list[Any]]]) -> None:
    expected = answers[case]
    assert expected
    found = await ours(case)
    assert {tap: without_source(got) for tap, got in found.items()} == {
        tap: without_source(got) for tap, got in expected.items()
    }


def test_what_goes_straight_through() -> None:
    """The copy of what came in reaches the second output; two instances have ids of their own."""
    flow = read_flow({"flows": tab(instance("one", "sf", [], ["next"]), {"id": "next", "type": "debug", "z": "tab", "wires": []},
                                   {"id": "first", "type": "inject", "z": "tab", "wires": [["one"]]}) + COUNTER})  # fmt: skip
    assert {spec.id for spec in flow.nodes} == {"next", "first", "one.count", "one.fix"}
    wires = {(wire.source, wire.target) for wire in flow.wires}
    assert wires == {("first", "one.count"), ("first", "next"), ("one.count", "one.fix"), ("one.fix", "next")}
    again = read_flow(
        json.loads(json.dumps({"id": "f", "nodes": [
            {"id": spec.id, "type": spec.type, "config": spec.config, "inside": spec.inside,
             "variables": [{"name": v.name, "type": v.type, "value": v.value} for v in spec.variables]}
            for spec in flow.nodes]}))
    )  # fmt: skip
    assert [(spec.inside, spec.variables) for spec in again.nodes] == [
        (spec.inside, spec.variables) for spec in flow.nodes
    ]


@pytest.mark.parametrize(
    ("nodes", "part"),
    [
        ([], "not in what was given"),
        ([{"id": "sf", "type": "subflow", "name": "Loop", "in": [], "out": []},
          {"id": "i", "type": "subflow:sf", "z": "sf", "wires": []}], "'Loop' contains itself"),
    ],
)  # fmt: skip
def test_what_is_refused(nodes: Nodes, part: str) -> None:
    with pytest.raises(FlowRefused, match=part):
        read_flow({"flows": tab(instance("x", "sf")) + nodes})


def test_too_many_nodes_are_refused_soon() -> None:
    """Ten subflows that each hold ten of the next would be ten thousand million nodes."""
    nodes: Nodes = []
    for level in range(9):
        nodes.append({"id": f"s{level}", "type": "subflow", "name": f"S{level}", "in": [], "out": []})
        for number in range(10):
            kind = f"subflow:s{level + 1}" if level < 8 else "comment"
            nodes.append({"id": f"n{level}-{number}", "type": kind, "z": f"s{level}", "wires": [[]]})
    with pytest.raises(FlowRefused, match="more than 2000 nodes"):
        read_flow({"flows": tab(instance("x", "s0")) + nodes})


async def test_an_instance_that_leaves_is_forgotten(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    engine = Engine(folder)
    document, messages = CASES["two instances"]
    await engine.deploy({"flows": document})
    await engine.start("tab")
    engine.inject("tab", "one.count", {"payload": messages[0][1]})
    await asyncio.sleep(0.2)
    assert engine.contexts.node("tab", "one").get("n") == 1
    await engine.deploy({"flows": [node for node in document if node["id"] != "one"]})
    assert engine.contexts.node("tab", "one").get("n") is None
    await engine.close()
