"""Every SQL statement on the schema `jobs` that is not pgqueuer's own."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NewType, cast

import msgspec
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.jobs.model import Job, ParkedJob, Schedule

JobId = NewType("JobId", int)

SETTINGS = DBSettings(db_schema="jobs", channel=Channel("jobs"))
ENVIRONMENT = QueryBuilderEnvironment(SETTINGS)
QUEUE = QueryQueueBuilder(SETTINGS)
_ENQUEUE = QUEUE.build_enqueue_query("skip")

DELETE_OLD_LOG = """
delete from jobs.pgqueuer_log where id in (
    select id from jobs.pgqueuer_log where created < $1 order by created limit $2
)"""

DELETE_OLD_STATISTICS = """
delete from jobs.pgqueuer_statistics where id in (
    select id from jobs.pgqueuer_statistics where created < $1 limit $2
)"""

DELETE_OLD_PARKED = """
delete from jobs.pgqueuer where id in (
    select id from jobs.pgqueuer where status = 'failed' and updated < $1 limit $2
)"""

DELETE_OLD_ATTEMPTS = """
delete from jobs.attempts where (job_id, attempt) in (
    select job_id, attempt from jobs.attempts
    where started_at < $1 and not exists (select from jobs.pgqueuer where id = job_id)
    limit $2
)"""

DELETE_OLD_SCHEDULES = """
delete from jobs.schedules where name in (
    select name from jobs.schedules where next_run_at < $1 limit $2
)"""


async def enqueue(
    tx: Transaction,
    job: Job,
    payload: dict[str, object],
    *,
    delay: timedelta = timedelta(0),
    once: str | None = None,
    priority: int = 0,
) -> JobId | None:
    """Add a job in the caller's transaction; it runs after the commit and not before `delay` has passed.

    `payload` must be JSON-able. With `once`, nothing is added (None) while a job with that key waits or runs.
    Higher `priority` runs first.
    """
    rows = await tx.fetch(
        _ENQUEUE, [priority], [job.name], [msgspec.json.encode(payload)], [delay], [once], [None]
    )
    return JobId(cast(int, rows[0]["id"])) if rows else None


async def count_attempt(tx: Transaction, job_id: int, worker: str) -> int:
    """Write down that a run of the job starts; answers its number, from 1."""
    return cast(
        int,
        await tx.fetchval(
            """
            insert into jobs.attempts (job_id, attempt, worker)
            select $1, coalesce(max(attempt), 0) + 1, $2 from jobs.attempts where job_id = $1
            returning attempt
            """,
            job_id,
            worker,
        ),
    )


async def fail_attempt(tx: Transaction, job_id: int, attempt: int, error: str) -> None:
    """Write down why the run failed."""
    await tx.execute(
        """
        update jobs.attempts set failed_at = clock_timestamp(), error = $3
        where job_id = $1 and attempt = $2
        """,
        job_id,
        attempt,
        error,
    )


async def forget_attempt(tx: Transaction, job_id: int, attempt: int) -> None:
    """Take a run back that was ended by our own shutdown: it says nothing about the job."""
    await tx.execute("delete from jobs.attempts where job_id = $1 and attempt = $2", job_id, attempt)


async def forget_attempts(tx: Transaction, job_id: int) -> None:
    """Forget the runs of a job that succeeded."""
    await tx.execute("delete from jobs.attempts where job_id = $1", job_id)


async def parked(tx: Transaction, *, limit: int = 100) -> list[ParkedJob]:
    """Jobs that were given up, the latest first. Needs a system transaction."""
    rows = await tx.fetch(
        """
        select job.id, job.entrypoint, job.payload, job.updated, last.attempt, last.error
        from jobs.pgqueuer job
        left join lateral (
            select attempt, error from jobs.attempts where job_id = job.id order by attempt desc limit 1
        ) last on true
        where job.status = 'failed'
        order by job.updated desc
        limit $1
        """,
        limit,
    )
    return [
        ParkedJob(
            id=row["id"],
            name=row["entrypoint"],
            payload=msgspec.json.decode(row["payload"] or b"{}", type=dict[str, object]),
            attempts=row["attempt"] or 0,
            error=row["error"],
            failed_at=row["updated"],
        )
        for row in rows
    ]


async def retry_parked(tx: Transaction, ids: Sequence[int]) -> int:
    """Let parked jobs run again from their first attempt; answers how many. Needs a system transaction.

    They start within two seconds (the runner's poll).
    """
    await tx.execute("delete from jobs.attempts where job_id = any($1::bigint[])", list(ids))
    rows = await tx.fetch(
        "select id from jobs.pgqueuer where id = any($1::bigint[]) and status = 'failed' for update",
        list(ids),
    )
    await tx.execute(QUEUE.build_requeue_jobs_query(), [row["id"] for row in rows])
    return len(rows)


async def requeue_interrupted(tx: Transaction, jobs: Sequence[Job]) -> int:
    """Let jobs run again that stand as failed without having had all their attempts.

    pgqueuer marks a run as failed also when only its own bookkeeping failed, as while the database was away.
    """
    done = await tx.execute(
        """
        update jobs.pgqueuer job
        set status = 'queued', execute_after = now(), updated = now(), queue_manager_id = null, slot = null
        from unnest($1::text[], $2::integer[]) known (name, attempts)
        where job.status = 'failed' and job.entrypoint = known.name
          and (select count(*) from jobs.attempts where job_id = job.id) < known.attempts
        """,
        [job.name for job in jobs],
        [job.attempts for job in jobs],
    )
    return int(done.rpartition(" ")[2])


async def put_schedule(tx: Transaction, schedule: Schedule, now: datetime) -> None:
    """Make the schedule known; one that is due every N seconds is due at once the first time."""
    first = now if schedule.every is not None else schedule.next_after(now)
    await tx.execute(
        """
        insert into jobs.schedules (name, rule, next_run_at) values ($1, $2, $3)
        on conflict (name) do update set rule = excluded.rule, next_run_at = excluded.next_run_at
        where jobs.schedules.rule <> excluded.rule
        """,
        schedule.name,
        schedule.rule,
        first,
    )


async def take_due_schedules(tx: Transaction, names: Sequence[str], now: datetime) -> list[str]:
    """The names that are due, locked; what another worker holds is left to it."""
    rows = await tx.fetch(
        """
        select name from jobs.schedules
        where name = any($1::text[]) and next_run_at <= $2
        order by name
        for update skip locked
        """,
        list(names),
        now,
    )
    return [row["name"] for row in rows]


async def move_schedule(tx: Transaction, name: str, now: datetime, next_run_at: datetime) -> None:
    await tx.execute(
        "update jobs.schedules set last_run_at = $2, next_run_at = $3 where name = $1", name, now, next_run_at
    )


async def next_due(tx: Transaction, names: Sequence[str]) -> datetime | None:
    """When the next of these schedules is due."""
    return cast(
        "datetime | None",
        await tx.fetchval(
            "select min(next_run_at) from jobs.schedules where name = any($1::text[])", list(names)
        ),
    )
