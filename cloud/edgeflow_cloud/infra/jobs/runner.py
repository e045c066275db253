"""The service of the worker role that runs jobs and keeps schedules."""

import asyncio
import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.executors import EntrypointExecutorParameters
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain import models

from edgeflow_cloud.infra.jobs import queries
from edgeflow_cloud.infra.jobs.execution import CountedExecutor
from edgeflow_cloud.infra.jobs.model import Job, Schedule
from edgeflow_cloud.kernel.errors import Unavailable

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context

log = structlog.get_logger("edgeflow.jobs")

HEARTBEAT_TIMEOUT = timedelta(seconds=20)  # a job whose worker is silent for so long is an orphan
POLL = timedelta(seconds=2)  # orphans and repeated runs are looked for this often: 22 s in all, 45 s promised
_POOL = 4  # one listens, one dequeues, the others write results and heartbeats


class JobRunner:
    """Runs `jobs` (every kind this process knows) and enqueues `schedules`.

    `run(stopping)` works until `stopping` is set, then takes no more, waits up to `drain` seconds for what
    runs, and hands the rest back unharmed. It outlives the database's absence: it tries again until the
    database is back.
    """

    def __init__(
        self,
        context: "Context",
        jobs: Iterable[Job],
        schedules: Iterable[Schedule] = (),
        *,
        concurrency: int = 16,
        drain: float = 20.0,
        heartbeat_timeout: timedelta = HEARTBEAT_TIMEOUT,
    ) -> None:
        self._context = context
        self._schedules = list(schedules)
        self._jobs = _by_name([*jobs, *(schedule.job for schedule in self._schedules)])
        self._concurrency = max(2, concurrency)
        self._drain = drain
        self._heartbeat_timeout = heartbeat_timeout
        self.worker = f"{socket.gethostname()}:{os.getpid()}"

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_schedules(stopping), name="job-schedules")
            group.create_task(self._run_jobs(stopping), name="job-queue")

    async def _run_jobs(self, stopping: asyncio.Event) -> None:
        delay = 0.2
        while not stopping.is_set():
            try:
                await self._run_queue(stopping)
                delay = 0.2
            except Exception as error:  # whatever it was, the queue is still there: begin again
                log.warning("jobs.interrupted", error=str(error) or type(error).__name__, retry_in=delay)
                await _sleep(delay, stopping)
                delay = min(delay * 2, 5.0)

    async def _run_queue(self, stopping: asyncio.Event) -> None:
        async with asyncpg.create_pool(
            self._context.db.url,
            min_size=1,
            max_size=_POOL,
            timeout=10,
            command_timeout=30,
            server_settings={
                "role": "edgeflow_system",
                "application_name": "edgeflow: jobs",
                "timezone": "UTC",
            },
        ) as pool:
            try:
                await self._serve(pool, stopping)
            finally:
                with suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        await pool.close()

    async def _serve(self, pool: "asyncpg.Pool[asyncpg.Record]", stopping: asyncio.Event) -> None:
        async with self._context.db.system_tx("jobs") as tx:
            await queries.requeue_interrupted(tx, list(self._jobs.values()))
        scheduler = QuerySchedulerBuilder(queries.SETTINGS)
        manager = QueueManager(
            Queries(AsyncpgPoolDriver(pool), queries.ENVIRONMENT, queries.QUEUE, scheduler),
            channel=queries.SETTINGS.channel,
        )
        halted = asyncio.Event()
        for job in self._jobs.values():
            parameters = EntrypointExecutorParameters(
                concurrency_limit=job.concurrency, func=_never, on_failure="hold"
            )
            manager.register_executor(
                job.name, CountedExecutor(parameters, self._context, job, self.worker, halted)
            )
        batch = max(1, min(8, self._concurrency // 2))
        running = asyncio.create_task(
            manager.run(
                dequeue_timeout=POLL,
                batch_size=batch,
                max_concurrent_tasks=self._concurrency,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self._heartbeat_timeout,
            ),
            name="job-manager",
        )
        running.add_done_callback(_look_at)
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
            manager.shutdown.set()
            if stopping.is_set():
                await asyncio.wait({running}, timeout=self._drain)
        finally:
            stop.cancel()
            manager.shutdown.set()
            if not running.done():
                halted.set()  # from here on a cancelled run goes back to the queue instead of being lost
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({running}, timeout=5)
        if running.done() and not running.cancelled():
            running.result()

    async def _keep_schedules(self, stopping: asyncio.Event) -> None:
        """Enqueue each schedule's job when it is due, in the transaction that moves the schedule on."""
        if not self._schedules:
            return
        by_name = {schedule.name: schedule for schedule in self._schedules}
        known = False
        while not stopping.is_set():
            pause = 1.0
            try:
                if not known:
                    await self._put_schedules()
                    known = True
                pause = await self._enqueue_due(by_name)
            except (Unavailable, asyncpg.PostgresError, OSError) as error:
                log.warning("schedules.interrupted", error=str(error))
            await _sleep(pause, stopping)

    async def _put_schedules(self) -> None:
        now = self._context.clock.now()
        async with self._context.db.system_tx("schedules") as tx:
            for schedule in self._schedules:
                await queries.put_schedule(tx, schedule, now)

    async def _enqueue_due(self, by_name: dict[str, Schedule]) -> float:
        """Enqueue what is due; answers after how many seconds to look again."""
        names = list(by_name)
        async with self._context.db.system_tx("schedules") as tx:
            now = self._context.clock.now()
            for name in await queries.take_due_schedules(tx, names, now):
                schedule = by_name[name]
                await queries.enqueue(tx, schedule.job, schedule.payload, once=f"schedule:{name}")
                await queries.move_schedule(tx, name, now, schedule.next_after(now))
            due = await queries.next_due(tx, names)
        return 5.0 if due is None else min(5.0, max(0.2, (due - now).total_seconds()))


def _by_name(jobs: Sequence[Job]) -> dict[str, Job]:
    known: dict[str, Job] = {}
    for job in jobs:
        if known.setdefault(job.name, job) is not job:
            raise ValueError(f"two jobs are called {job.name}: a name is stored and must mean one thing")
    return known


def _look_at(task: asyncio.Task[None]) -> None:
    """Take a task's error, so that asyncio does not print one that we have dealt with."""
    if not task.cancelled():
        task.exception()


async def _never(job: models.Job) -> None:
    """Stands where pgqueuer wants a function: CountedExecutor runs the job itself."""
    raise NotImplementedError(job.entrypoint)


async def _sleep(seconds: float, stopping: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
