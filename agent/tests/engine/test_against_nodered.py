# ruff: noqa: E501  tables of flows and code read better unbroken
"""The same flows and messages in Node-RED itself: what reaches the debug nodes agrees, one by one.

Not compared: `_msgid` and `parts.id`, which are made up anew by either. Known to differ, with the reason, in DIFFER.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.tests.engine.nodered_cases import CASES
from edgeflow_agent.engine import Engine, Message
from tools import nodered

DIFFER: dict[str, str] = {
    "function context": "a context gives copies; Node-RED's memory store hands out the object itself, which then changes "
    "under whoever got it",
    "switch sequence odd True": "each new sequence has as many parts as it says; Node-RED also counts the messages that "
    "left by an earlier port when it stops at the first rule that fits, so that a join after it waits for ever",
    "csv out": "a value that is null is an empty cell, as in every other CSV writer; Node-RED writes the word null",
}
"""Case -> why ours differs on purpose; the test fails when it does not differ any more."""


class Peer:
    """A running Node-RED."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.taps: dict[str, list[Any]] = {}

    async def listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            said = json.loads(line)
            self.taps.setdefault(said["tap"], []).append(said["message"])

    def send(self, node: str, message: Message) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"node": node, "message": message}).encode() + b"\n")


async def start_peer(flows: list[dict[str, Any]], folder: Path) -> tuple[Peer, asyncio.Task[None]]:
    (folder / "flows.json").write_text(json.dumps(flows))
    process = await asyncio.create_subprocess_exec(
        nodered.NODE, Path(__file__).with_name("nodered_peer.js"), nodered.fetch(), folder, folder / "flows.json",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20,
    )  # fmt: skip
    assert process.stdout is not None
    first = await asyncio.wait_for(process.stdout.readline(), 60)
    assert json.loads(first)["ready"] == nodered.VERSION
    peer = Peer(process)
    return peer, asyncio.create_task(peer.listen())


async def stop_peer(peer: Peer, listening: asyncio.Task[None]) -> None:
    assert peer.process.stdin is not None
    peer.process.stdin.close()
    try:
        await asyncio.wait_for(peer.process.wait(), 10)
    except TimeoutError:
        peer.process.kill()
    await listening


def place(case: str, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The case's nodes on a tab of their own, their ids made unique."""
    tab = f"tab-{abs(hash(case))}"
    text = json.dumps(nodes)
    made = json.loads(text)
    for node in made:
        node["id"] = f"{tab}.{node['id']}"
        node["wires"] = [[f"{tab}.{target}" for target in port] for port in node.get("wires", [])]
        node |= {"z": tab, "x": 1, "y": 1, "name": node.get("name", "")}
    return [{"id": tab, "type": "tab", "label": case, "disabled": False, "info": "", "env": []}, *made]


def plain(message: Any) -> Any:
    """As JSON carries it, without what either engine makes up."""

    def spell(value: Any) -> Any:
        if isinstance(value, bytes):
            return {"type": "Buffer", "data": list(value)}
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, dict):
            return {key: spell(item) for key, item in value.items() if key not in ("_msgid",)}
        return [spell(item) for item in value] if isinstance(value, list) else value

    made = spell(message)
    if isinstance(made.get("parts"), dict):
        made["parts"].pop("id", None)
    return made


@pytest.fixture(scope="module")
async def answers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, dict[str, list[Any]]]]:
    """What Node-RED's debug nodes got in each case: one process for all of them."""
    flows = [node for case, (nodes, _) in CASES.items() for node in place(case, nodes)]
    peer, listening = await start_peer(flows, tmp_path_factory.mktemp("node-red"))
    for case, (nodes, messages) in CASES.items():
        tab = place(case, nodes)[0]["id"]
        for message in messages:
            peer.send(f"{tab}.n", message)
    heard = -1
    while heard != (heard := sum(map(len, peer.taps.values()))):  # noqa: ASYNC110  it does not say when it is idle
        await asyncio.sleep(0.6)
    await stop_peer(peer, listening)
    found: dict[str, dict[str, list[Any]]] = {}
    for case, (nodes, _) in CASES.items():
        tab = place(case, nodes)[0]["id"]
        found[case] = {
            node["id"]: [plain(m) for m in peer.taps.get(f"{tab}.{node['id']}", [])]
            for node in nodes
            if node["type"] == "debug"
        }
    yield found


async def ours(case: str) -> dict[str, list[Any]]:
    nodes, messages = CASES[case]
    engine = Engine()
    placed = place(case, nodes)
    tab = placed[0]["id"]
    await engine.deploy({"flows": placed})
    engine.subscribe("debug")  # Debug nodes that nobody watches get nothing.
    await engine.start(tab)
    seen: dict[str, list[Any]] = {}
    for node in nodes:
        if node["type"] == "debug":
            got = seen[node["id"]] = []
            tapped: Any = engine.node(tab, f"{tab}.{node['id']}")
            tapped.forward = lambda message, got=got: got.append(plain(message))
    for message in messages:
        engine.inject(tab, f"{tab}.n", json.loads(json.dumps(message)))
    calm = 0
    while calm < 4:
        await asyncio.sleep(0.005)
        calm = 0 if engine._flows[tab]._lane.load else calm + 1  # type: ignore[union-attr]
    await engine.close()
    return seen


@pytest.mark.parametrize("case", CASES)
async def test_messages_agree_one_by_one(case: str, answers: dict[str, dict[str, list[Any]]]) -> None:
    theirs = answers[case]
    assert any(theirs.values()), "Node-RED sent nothing: the case compares nothing"
    mine = await ours(case)
    if case in DIFFER:
        assert mine != theirs, f"{case} does not differ any more: {DIFFER[case]}"
        return
    assert mine == theirs
