"""One run of one job: counted before it starts, bounded in time, and decided upon when it fails."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import asyncpg
import msgspec
import structlog
from pgqueuer.core.executors import AbstractEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.domain import errors, models
from prometheus_client import Counter

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.jobs import queries
from edgeflow_cloud.infra.jobs.model import Job
from edgeflow_cloud.infra.observability import REGISTRY
from edgeflow_cloud.kernel.errors import Unavailable

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context

T = TypeVar("T")
log = structlog.get_logger("edgeflow.jobs")
RUNS = Counter(
    "edgeflow_job_runs",
    "Runs of jobs: done, failed (runs again), parked.",
    ["job", "outcome"],
    registry=REGISTRY,
)


class GivenUp(Exception):
    """The job has had all its attempts; pgqueuer holds it as failed, which we call parked."""


class CountedExecutor(AbstractEntrypointExecutor):
    """pgqueuer counts a run only when it ends by an exception, so one that kills its worker would run for
    ever.

    Here the attempt's row is committed first. What pgqueuer hears is only: done, again after a delay, or
    given up.
    """

    def __init__(
        self,
        parameters: EntrypointExecutorParameters,
        context: "Context",
        job: Job,
        worker: str,
        halted: asyncio.Event,
    ) -> None:
        super().__init__(parameters)
        self._context = context
        self._job = job
        self._worker = worker
        self._halted = halted

    async def execute(self, job: models.Job, context: models.Context) -> None:
        with structlog.contextvars.bound_contextvars(job=self._job.name, job_id=job.id):
            await self._execute(job)

    async def _execute(self, job: models.Job) -> None:
        attempt = await self._record(lambda tx: queries.count_attempt(tx, job.id, self._worker))
        if attempt > self._job.attempts:
            error = f"The worker died during each of {self._job.attempts} runs."
            await self._record(lambda tx: queries.fail_attempt(tx, job.id, attempt, error))
            RUNS.labels(self._job.name, "parked").inc()
            log.error("job.parked", error=error)
            raise GivenUp(error)
        try:
            payload = msgspec.json.decode(job.payload or b"{}", type=dict[str, object])
            async with asyncio.timeout(self._job.timeout.total_seconds()):
                await self._job.handler(self._context, payload)
        except asyncio.CancelledError:
            if not self._halted.is_set():
                raise
            async with asyncio.timeout(3):
                await self._record(lambda tx: queries.forget_attempt(tx, job.id, attempt))
            log.info("job.handed_back")
            raise errors.RetryRequested(timedelta(0), "the worker was stopped") from None
        except Exception as error:
            await self._failed(job, attempt, error)
        else:
            await self._record(lambda tx: queries.forget_attempts(tx, job.id))
            RUNS.labels(self._job.name, "done").inc()

    async def _record(self, write: Callable[[Transaction], Awaitable[T]]) -> T:
        """Write to the books in a transaction of its own; the database may be away for up to a minute.

        What this raises makes pgqueuer park the job, so it is patient; `requeue_interrupted` mends what still
        slips.
        """
        delay = 0.1
        async with asyncio.timeout(60):
            while True:
                try:
                    async with self._context.db.system_tx("job attempt") as tx:
                        return await write(tx)
                except (Unavailable, asyncpg.PostgresConnectionError, OSError):
                    if self._halted.is_set():
                        raise
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, 2.0)

    async def _failed(self, job: models.Job, attempt: int, error: Exception) -> None:
        """Write the error down, then raise what pgqueuer shall do."""
        text = f"{type(error).__name__}: {error}"[:2000]
        if isinstance(error, TimeoutError):
            text = f"The run took longer than {self._job.timeout} or waited too long for something: {text}"
        await self._record(lambda tx: queries.fail_attempt(tx, job.id, attempt, text))
        if attempt >= self._job.attempts:
            RUNS.labels(self._job.name, "parked").inc()
            log.error("job.parked", attempts=attempt, exc_info=error)
            raise GivenUp(text) from error
        RUNS.labels(self._job.name, "failed").inc()
        delay = self._job.delay_after(attempt)
        log.warning("job.failed", attempt=attempt, error=text, retry_in=round(delay.total_seconds(), 1))
        raise errors.RetryRequested(delay, text) from error
