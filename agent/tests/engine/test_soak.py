# ruff: noqa: E501  tables of flows and code read better unbroken
"""An accelerated soak: hundreds of thousands of messages, redeploys and errors, and nothing stays behind."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import psutil
import pytest

from agent.tests.engine.conftest import Bench

FUNCTION = "context.set('n', (context.get('n') || 0) + 1); if (msg.payload % 50 === 0) throw new Error('fifty'); return msg;"


def flow(generation: int) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]]]:
    nodes: list[dict[str, Any]] = [
        {"id": "c", "type": "change", "config": {"rules": [{"t": "set", "p": "g", "to": str(generation)}]}},
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
    ]
    wires = [
        ("c", "f"),
        ("f", "l"),
        ("l", "s"),
        ("s", "w"),
        ("w", "j"),
        ("j", "g"),
        ("j", "d"),
        ("g", "d"),
        ("h", "r"),
        ("r", "d"),
    ]
    return nodes, wires


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


@pytest.mark.slow
async def test_a_soak_leaks_nothing(bench: Bench) -> None:
    process = psutil.Process()
    events = bench.engine.subscribe()
    figures: list[tuple[int, int, int, int, int]] = []
    for generation in range(12):
        await bench.run(*flow(generation))
        worker = psutil.Process(bench.engine.node("f", "f")._bridge.pid)  # type: ignore[attr-defined]
        for number in range(4_000):
            bench.send("c", number)
            if number % 200 == 199:
                await asyncio.sleep(0.001)
        await bench.quiet(60)
        if generation % 3 == 2:
            await bench.engine.stop("f")
            await bench.engine.start("f")
            worker = psutil.Process(bench.engine.node("f", "f")._bridge.pid)  # type: ignore[attr-defined]
        figures.append(
            (
                objects(),
                process.memory_info().rss,
                process.num_fds(),
                worker.memory_info().rss,
                len(asyncio.all_tasks()),
            )
        )
    assert bench.engine.totals().executions_total > 48_000
    assert events.lost > 0  # Nobody read: bounded, and said.
    early, late = figures[3], figures[-1]
    assert late[0] - early[0] < 1_000, figures
    assert late[1] - early[1] < 4e6, figures
    assert late[2] <= early[2], figures
    assert late[3] - early[3] < 4e6, figures
    assert late[4] <= early[4], figures
