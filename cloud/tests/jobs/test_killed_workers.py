"""Workers that die in the middle of a job, for real."""

# ruff: noqa: ASYNC110 - tests wait for what another process does

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from cloud.tests.jobs.worker import NAME
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.jobs import Job, enqueue, parked

ROOT = Path(__file__).parents[3]


class Workers:
    """Starts worker processes on one database and ends those that still live."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.started: list[asyncio.subprocess.Process] = []

    async def start(self, mode: str, **environment: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cloud.tests.jobs.worker", self.url, str(self.folder), mode,
            cwd=ROOT, env={**os.environ, **environment}, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        self.started.append(process)
        return process

    def runs(self) -> int:
        path = self.folder / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    async def until(self, runs: int, seconds: float) -> float:
        started = time.monotonic()
        async with asyncio.timeout(seconds):
            while self.runs() < runs:
                await asyncio.sleep(0.05)
        return time.monotonic() - started


@pytest.fixture
async def workers(database_url: str, tmp_path: Path) -> AsyncIterator[Workers]:
    workers = Workers(database_url, tmp_path)
    yield workers
    for process in workers.started:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _nothing(context: object, payload: dict[str, object]) -> None: ...


async def _enqueue(db: Database) -> None:
    async with db.system_tx("test") as tx:
        await enqueue(tx, Job(name=NAME, handler=_nothing), {"number": 1})


@pytest.mark.slow
async def test_the_orphan_of_a_killed_worker_runs_again_within_45_seconds(
    db: Database, workers: Workers
) -> None:
    victim = await workers.start("hang")
    await _enqueue(db)
    await workers.until(1, 20)
    await workers.start("work")
    await asyncio.sleep(1)
    victim.kill()
    taken = await workers.until(2, 45)
    print(f"orphan ran again after {taken:.1f} s")
    async with db.system_tx("test") as tx:
        while await tx.fetchval("select count(*) from jobs.pgqueuer"):
            await asyncio.sleep(0.05)
        assert await tx.fetchval("select count(*) from jobs.attempts") == 0


@pytest.mark.slow
async def test_a_job_that_kills_its_worker_is_parked_after_five(db: Database, workers: Workers) -> None:
    await _enqueue(db)
    for number in range(1, 6):
        worker = await workers.start("exit", SILENT="1")
        await workers.until(number, 20)
        assert await asyncio.wait_for(worker.wait(), 5) == 1
    await workers.start("exit", SILENT="1")
    async with asyncio.timeout(15):
        given_up = []
        while not given_up:
            await asyncio.sleep(0.1)
            async with db.system_tx("test") as tx:
                given_up = await parked(tx)
    assert workers.runs() == 5
    assert "died during each of 5 runs" in str(given_up[0].error)


async def test_a_worker_told_to_end_hands_its_job_back(db: Database, workers: Workers) -> None:
    worker = await workers.start("hang")
    await _enqueue(db)
    await workers.until(1, 20)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(worker.wait(), 10) == 0
    async with db.system_tx("test") as tx:
        assert await tx.fetchval("select status::text from jobs.pgqueuer") == "queued"
    await workers.start("work")
    assert await workers.until(2, 20) < 20
