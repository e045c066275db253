# ruff: noqa: E501  tables of flows and code read better unbroken
"""An accelerated soak of the flow engine: `python -m tests.load.flow.soak SECONDS` prints what grew as JSON.

Each round redeploys a flow of many kinds of nodes, sends it thousands of messages, some of which fail, waits until all
is quiet, and then counts what is held: objects, memory, descriptors, tasks, files.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil

from edgeflow_agent.engine import Engine

FUNCTION = "context.set('n', (context.get('n') || 0) + 1); if (msg.payload % 50 === 0) throw new Error('fifty'); return msg;"
MESSAGES = 2_000
LEAST_ROUNDS = 8


class Reading(msgspec.Struct):
    """What is held after a round. Memory in bytes, the JavaScript process's apart."""

    objects: int
    memory: int
    worker_memory: int
    descriptors: int
    tasks: int
    files: int


LIMITS = Reading(objects=1_000, memory=4_000_000, worker_memory=4_000_000, descriptors=0, tasks=0, files=0)
"""So much more may be held at the end than after the first third."""


class Folder:
    """A storage in a folder, as `state.StateFolder` is one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str, limit: int = 1 << 20) -> bytes | None:
        return (self.path / name).read_bytes()[:limit] if (self.path / name).exists() else None

    def write(self, name: str, data: bytes) -> None:
        (self.path / name).write_bytes(data)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


def flow(generation: int, more: list[dict[str, Any]]) -> dict[str, Any]:
    """The flow of a round; what `more` has is wired to the first node."""
    rules = [
        {"t": "set", "p": "g", "to": str(generation)},
        {"t": "set", "p": "twice", "pt": "msg", "to": "payload * 2", "tot": "jsonata"},
    ]
    nodes: list[dict[str, Any]] = [
        {"id": "c", "type": "change", "config": {"rules": rules}},
        {"id": "f", "type": "function", "config": {"func": FUNCTION}},
        {"id": "l", "type": "template", "config": {"template": "[{{payload}}, {{g}}]", "output": "json"}},
        {"id": "s", "type": "split"},
        {"id": "w", "type": "delay", "config": {"duration": 1}},
        {"id": "j", "type": "join"},
        {
            "id": "g",
            "type": "trigger",
            "config": {"op1type": "nul", "op2": "x", "duration": "5", "units": "ms", "extend": True},
        },
        {"id": "h", "type": "catch"},
        {"id": "r", "type": "rbe"},
        {"id": "d", "type": "debug", "config": {"complete": True}},
        {
            "id": f"gone{generation}",
            "type": "change",
            "config": {"rules": [{"t": "set", "p": "seen", "pt": "flow", "to": "1"}]},
        },
        *more,
    ]
    wires = ["cf", "fl", "ls", "sw", "wj", "jg", "jd", "gd", "hr", "rd"]
    connections = [{"source": wire[0], "target": wire[1]} for wire in wires]
    connections += [{"source": "c", "target": node["id"]} for node in [{"id": f"gone{generation}"}, *more]]
    return {"id": "soak", "name": "Soak", "nodes": nodes, "connections": connections}


async def soak(
    engine: Engine, folder: Path, seconds: float, more: list[dict[str, Any]] | None = None
) -> list[Reading]:
    """Rounds for so long, at least `LEAST_ROUNDS`; what is held after each. `folder` is where the engine keeps contexts."""
    readings: list[Reading] = []
    ends = time.monotonic() + seconds
    unread = engine.subscribe()  # Nobody reads: bounded, or it would be seen.
    while time.monotonic() < ends or len(readings) < LEAST_ROUNDS:
        generation = len(readings)
        await engine.deploy(flow(generation, more or []))
        if generation % 3 == 2:
            await engine.stop("soak")
        await engine.start("soak")
        for number in range(MESSAGES):
            engine.inject("soak", "c", {"payload": number})
            if number % 200 == 199:
                await asyncio.sleep(0.001)
        await _quiet(engine)
        readings.append(_read(engine, folder))
    unread.close()
    return readings


def judge(readings: list[Reading]) -> dict[str, int]:
    """What grew more than it may, by how much. The least of the last two rounds counts: garbage is no leak."""
    early, last = readings[len(readings) // 3], readings[-2:]
    grown = {
        name: min(getattr(each, name) for each in last) - getattr(early, name)
        for name in Reading.__struct_fields__
    }
    return {name: more for name, more in grown.items() if more > getattr(LIMITS, name)}


def _read(engine: Engine, folder: Path) -> Reading:
    node: Any = engine.node("soak", "f")
    process = psutil.Process()
    gc.collect()
    return Reading(
        objects=len(gc.get_objects()),
        memory=process.memory_info().rss,
        worker_memory=psutil.Process(node._bridge.pid).memory_info().rss,
        descriptors=process.num_fds(),
        tasks=len(asyncio.all_tasks()),
        files=sum(1 for _ in folder.iterdir()),
    )


async def _quiet(engine: Engine) -> None:
    node: Any = engine.node("soak", "c")
    async with asyncio.timeout(60):
        calm = 0
        while calm < 3:
            await asyncio.sleep(0.005)
            calm = 0 if node.lane.load else calm + 1


async def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="edgeflow-soak-") as name:
        engine = Engine(Folder(Path(name)))
        readings = await soak(engine, Path(name), seconds)
        totals = engine.totals()
        await engine.close()
    first, last = readings[len(readings) // 3], readings[-1]
    print(json.dumps({"rounds": len(readings), "executions": totals.executions_total, "failed": totals.executions_failed,
                      "leaks": judge(readings), "grown": (last.memory - first.memory) / 1e6,
                      "grown_worker": (last.worker_memory - first.worker_memory) / 1e6,
                      "first": msgspec.to_builtins(first), "last": msgspec.to_builtins(last)}))  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
