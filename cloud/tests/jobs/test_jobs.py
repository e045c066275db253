"""Jobs: in the caller's transaction, counted before they run, parked after five, and never lost."""

# ruff: noqa: ASYNC110 - tests wait for what another process does

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.jobs import Job, JobRunner, Schedule, enqueue, parked, retry_parked
from edgeflow_cloud.kernel.principal import Principal

Body = Callable[[dict[str, object]], Awaitable[None]]


class Quick(Job):
    """A job that does not wait between its attempts."""

    def delay_after(self, attempt: int) -> timedelta:
        return timedelta(0)


def make(body: Body, name: str = "test.job", **options: object) -> Job:
    async def handler(context: Context, payload: dict[str, object]) -> None:
        await body(payload)

    return Quick(name=name, handler=handler, **options)  # type: ignore[arg-type]


@asynccontextmanager
async def running(runner: JobRunner) -> AsyncGenerator[None]:
    stopping = asyncio.Event()
    task = asyncio.create_task(runner.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(30):
            await task


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def count(db: Database, table: str) -> int:
    async with db.system_tx("test") as tx:
        return await tx.fetchval(f"select count(*) from {table}")


async def test_a_job_runs_if_and_only_if_its_transaction_commits(
    context: Context, db: Database, owner: Principal
) -> None:
    ran: list[object] = []

    async def body(payload: dict[str, object]) -> None:
        ran.append(payload["n"])

    job = make(body)
    async with running(JobRunner(context, [job])):
        with suppress(RuntimeError):
            async with db.tenant_tx(owner) as tx:
                await enqueue(tx, job, {"n": "rolled back"})
                raise RuntimeError
        async with db.tenant_tx(owner) as tx:
            await enqueue(tx, job, {"n": "kept"})
            await asyncio.sleep(0.2)
            assert ran == []
        await until(lambda: bool(ran))
    assert ran == ["kept"]
    assert await count(db, "jobs.pgqueuer") == 0
    assert await count(db, "jobs.attempts") == 0


async def test_people_add_jobs_and_read_none(db: Database, owner: Principal) -> None:
    job = make(lambda _: asyncio.sleep(0))
    async with db.tenant_tx(owner) as tx:
        assert await enqueue(tx, job, {"secret": 1}, once="only") is not None
        assert await enqueue(tx, job, {"secret": 2}, once="only") is None
    for table, column in (("jobs.pgqueuer", "payload"), ("jobs.attempts", "error")):
        with pytest.raises(Exception, match="permission denied"):
            async with db.tenant_tx(owner) as tx:
                await tx.fetch(f"select {column} from {table}")


async def test_five_failures_park_and_a_person_may_retry(context: Context, db: Database) -> None:
    runs, broken = 0, True

    async def body(payload: dict[str, object]) -> None:
        nonlocal runs
        runs += 1
        if broken:
            raise ValueError(f"run {runs} failed")

    job = make(body)
    async with running(JobRunner(context, [job])):
        async with db.system_tx("test") as tx:
            await enqueue(tx, job, {"device": "d"})
        await until(lambda: runs == 5, 20)
        await asyncio.sleep(0.5)
        assert runs == 5
        async with db.system_tx("test") as tx:
            (given_up,) = await parked(tx)
        assert (given_up.name, given_up.attempts, given_up.payload) == ("test.job", 5, {"device": "d"})
        assert given_up.error == "ValueError: run 5 failed"
        broken = False
        async with db.system_tx("test") as tx:
            assert await retry_parked(tx, [given_up.id]) == 1
        await until(lambda: runs == 6)
    assert await count(db, "jobs.pgqueuer") == 0


async def test_a_run_that_takes_too_long_is_a_failure_with_a_reason(context: Context, db: Database) -> None:
    job = make(lambda _: asyncio.sleep(60), attempts=1, timeout=timedelta(seconds=0.1))
    async with running(JobRunner(context, [job])):
        async with db.system_tx("test") as tx:
            await enqueue(tx, job, {})
        async with asyncio.timeout(5):
            while not (given_up := await _parked(db)):
                await asyncio.sleep(0.05)
    assert "longer than 0:00:00.1" in str(given_up[0].error)


async def _parked(db: Database) -> list:
    async with db.system_tx("test") as tx:
        return await parked(tx)


async def test_a_delayed_job_waits(context: Context, db: Database) -> None:
    ran: list[float] = []
    clock = asyncio.get_running_loop().time

    async def body(payload: dict[str, object]) -> None:
        ran.append(clock())

    job = make(body)
    async with running(JobRunner(context, [job])):
        started = clock()
        async with db.system_tx("test") as tx:
            await enqueue(tx, job, {}, delay=timedelta(seconds=1))
        await until(lambda: bool(ran))
    assert 0.95 < ran[0] - started < 5


async def test_no_more_run_at_once_than_allowed(context: Context, db: Database) -> None:
    now = {"worker": 0, "kind": 0}
    most = {"worker": 0, "kind": 0}
    done = 0

    def body(kind: str) -> Body:
        async def run(payload: dict[str, object]) -> None:
            nonlocal done
            now[kind] += 1
            most[kind] = max(most[kind], now[kind])
            await asyncio.sleep(0.02)
            now[kind] -= 1
            done += 1

        return run

    wide, narrow = make(body("worker"), "test.wide"), make(body("kind"), "test.narrow", concurrency=2)
    async with db.system_tx("test") as tx:
        for _ in range(30):
            await enqueue(tx, wide, {})
            await enqueue(tx, narrow, {})
    async with running(JobRunner(context, [wide, narrow], concurrency=6)):
        await until(lambda: done == 60, 30)
    assert most["worker"] + most["kind"] <= 8
    assert most["worker"] <= 6
    assert most["kind"] <= 2


async def test_stopping_waits_for_what_runs_and_hands_the_rest_back(context: Context, db: Database) -> None:
    ended: list[str] = []

    async def body(payload: dict[str, object]) -> None:
        await asyncio.sleep(float(str(payload["for"])))
        ended.append(str(payload["for"]))

    job = make(body)
    async with running(JobRunner(context, [job], drain=1.0)):
        async with db.system_tx("test") as tx:
            await enqueue(tx, job, {"for": "0.6"})
            await enqueue(tx, job, {"for": "30"})
        async with asyncio.timeout(5):
            while await count(db, "jobs.attempts") < 2:
                await asyncio.sleep(0.02)
    assert ended == ["0.6"]
    async with db.system_tx("test") as tx:
        rows = await tx.fetch("select status::text from jobs.pgqueuer")
    assert [row["status"] for row in rows] == ["queued"]
    assert await count(db, "jobs.attempts") == 0  # our stop was not the job's fault


async def test_a_schedule_slot_is_enqueued_once_by_two_workers(context: Context, db: Database) -> None:
    ran: list[float] = []

    async def body(payload: dict[str, object]) -> None:
        ran.append(asyncio.get_running_loop().time())

    job = make(body)
    schedule = Schedule(name="tick", job=job, every=timedelta(seconds=1))
    async with (
        running(JobRunner(context, [], [schedule])),
        running(JobRunner(context, [job], [schedule])),
    ):
        await until(lambda: len(ran) >= 3)
    gaps = [later - earlier for earlier, later in pairwise(ran)]
    assert min(gaps) > 0.5


def test_rules_of_schedules() -> None:
    job = make(lambda _: asyncio.sleep(0))
    nightly = Schedule(name="nightly", job=job, cron="15 3 * * *")
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert nightly.next_after(now) == datetime(2026, 5, 2, 3, 15, tzinfo=UTC)
    assert Schedule(name="s", job=job, every=timedelta(seconds=30)).next_after(now) == now + timedelta(
        seconds=30
    )
    for wrong in ({}, {"cron": "no"}, {"every": timedelta(0)}, {"cron": "* * * * *", "every": timedelta(1)}):
        with pytest.raises(ValueError, match="schedule s"):
            Schedule(name="s", job=job, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two jobs"):
        JobRunner(None, [job, make(lambda _: asyncio.sleep(0))])  # type: ignore[arg-type]


def test_backoff_grows_and_is_spread() -> None:
    job = Job(name="x", handler=make(lambda _: asyncio.sleep(0)).handler)
    for attempt, middle in ((1, 2), (2, 4), (3, 8), (20, 300)):
        delays = {job.delay_after(attempt).total_seconds() for _ in range(50)}
        assert len(delays) > 10
        assert all(middle * 0.75 <= delay <= middle * 1.25 for delay in delays)
