"""The spool under a random life: appends, sends, acks, restarts. Nothing is lost that was kept, numbers never
lie.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeflow_agent.state import Database, StateFolder
from edgeflow_agent.telemetry import Spool
from edgeflow_protocol.telemetry import Sample

START = datetime(2026, 11, 1, tzinfo=UTC)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 25)),
        st.tuples(st.just("send"), st.integers(1, 4)),
        st.tuples(st.just("ack"), st.integers(0, 3)),
        st.tuples(st.just("line"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=25,
)


def sample(number: int) -> Sample:
    return Sample(time=START + timedelta(seconds=number), cpu_percent=float(number))


class Life:
    """One device's spool, and what a cloud that dedupes by boot and sequence would have."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.boots = 0
        self.appended = 0
        self.stored: dict[tuple[str, int], bytes] = {}
        self.order: list[int] = []
        self.flying: list[tuple[str, int]] = []
        self.position = 0

    async def begin(self) -> None:
        self.state = StateFolder.open(self.folder)
        self.database = Database.open(self.state)
        self.boots += 1
        self.spool = Spool(self.database, f"boot{self.boots}", 10**9)
        await self.spool.open()
        self.flying, self.position = [], 0

    def end(self) -> None:
        self.database.close()
        self.state.close()

    async def do(self, step: str, number: int) -> None:
        match step:
            case "append":
                for _ in range(number):
                    assert await self.spool.append(sample(self.appended))
                    self.appended += 1
            case "send":
                for _ in range(number):
                    await self.send()
            case "ack":
                if self.flying:
                    boot_id, sequence = self.flying[min(number, len(self.flying) - 1)]
                    await self.spool.acknowledge(boot_id, sequence)
            case "line":
                self.flying, self.position = [], 0
            case _:
                self.end()
                await self.begin()

    async def send(self) -> bool:
        batch = await self.spool.next_batch(self.position)
        if batch is None:
            return False
        self.position = batch.position
        key, body = (batch.boot_id, batch.sequence), msgspec.json.encode(batch.samples)
        self.flying.append(key)
        assert 1 <= len(batch.samples) <= 10
        if key in self.stored:
            assert self.stored[key] == body, "a batch changed under its number"
        else:
            self.stored[key] = body
            self.order += [int(entry.cpu_percent or 0) for entry in batch.samples]
        return True


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_nothing_is_lost_doubled_or_reordered(life_steps: list[tuple[str, int]]) -> None:
    async def live(folder: Path) -> None:
        life = Life(folder)
        await life.begin()
        for step, number in life_steps:
            await life.do(step, number)
        while await life.send():
            pass
        assert life.order == list(range(life.appended))
        for boot_id, sequence in life.flying:
            await life.spool.acknowledge(boot_id, sequence)
        assert await life.spool.waiting() == 0
        assert life.spool.size == 0
        life.end()

    with TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder)))


async def test_a_full_spool_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    state = StateFolder.open(tmp_path)
    database = Database.open(state)
    spool = Spool(database, "boot", 2000)
    await spool.open()
    for number in range(100):
        await spool.append(sample(number))
        if number == 15:
            assert await spool.next_batch() is not None  # Batches are the first to go.
    assert spool.size <= 2000
    kept = await spool.waiting()
    assert spool.dropped == 100 - kept > 50
    batch = await spool.next_batch()
    assert batch is not None
    assert batch.samples[0].cpu_percent == float(100 - kept)
    database.close()
    state.close()

    database = Database.open(StateFolder.open(tmp_path))
    again = Spool(database, "boot2", 2000)
    await again.open()
    assert again.dropped == spool.dropped
    database.close()


async def test_a_disk_that_takes_nothing_is_counted_and_forgiven(tmp_path: Path) -> None:
    database = Database.open(StateFolder.open(tmp_path))
    spool = Spool(database, "boot", 10**9)
    await spool.open()
    await database.run(lambda db: db.execute("pragma max_page_count=1").fetchone())
    lost = 0
    while lost < 3:
        lost += not await spool.append(sample(0))
    assert spool.dropped == 3
    await database.run(lambda db: db.execute("pragma max_page_count=100000").fetchone())
    assert await spool.append(sample(1))
    assert spool.dropped == 3
    row = await database.run(lambda db: db.execute("select value from counters").fetchone())
    assert row == (3,)
    database.close()
