"""An accelerated soak: redeploys, thousands of messages, errors, and nothing stays behind; and a mutant, which is seen.
`make bench FIGURES=S10` soaks for three minutes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeflow_agent.engine import Engine, Message, Node, NodeConfig
from tests.load.flow import soak as soaking
from tests.load.flow.soak import Folder, judge, soak

KEPT: list[object] = []


class Leak(Node[NodeConfig]):
    """Keeps, at each start, something of all that is counted."""

    type = "leak"
    outputs = 0

    def forward(self, message: Message) -> None:
        KEPT.extend({"payload": [message.get("payload")]} for _ in range(10))

    async def start(self) -> None:
        KEPT.append(os.dup(0))
        KEPT.append(asyncio.create_task(asyncio.sleep(3600)))
        KEPT.append(os.urandom(4_000_000))
        (Path(self.lane.host.contexts.folder) / f"left-{len(KEPT)}").write_text("")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    made = Engine(Folder(tmp_path))
    yield made
    await made.close()
    for kept in KEPT:
        if isinstance(kept, int):
            os.close(kept)
        elif isinstance(kept, asyncio.Task):
            kept.cancel()
    KEPT.clear()


@pytest.mark.slow
async def test_a_soak_leaks_nothing(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soaking, "MESSAGES", 600)
    readings = await soak(engine, tmp_path, 8)
    assert judge(readings) == {}, readings
    totals = engine.totals()
    assert totals.executions_total >= 600 * len(readings)
    assert totals.executions_failed == 0  # caught


@pytest.mark.slow
async def test_a_leak_is_seen(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soaking, "MESSAGES", 100)
    engine.registry.add(Leak)
    original = soaking.flow

    def flow(generation: int, more: list[dict[str, object]]) -> dict[str, object]:
        """The leak's config differs each time, so that each round starts it anew."""
        return original(generation, [{**each, "config": {"round": generation}} for each in more])

    monkeypatch.setattr(soaking, "flow", flow)
    readings = await soak(engine, tmp_path, 0, [{"id": "leak", "type": "leak"}])
    assert {"objects", "memory", "descriptors", "tasks", "files"} <= set(judge(readings)), readings
