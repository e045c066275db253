"""Retention: each subsystem lists what of its rows is too old, one scheduled job lets it go in small
batches.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.http import queries as http
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.infra.jobs import queries as jobs
from edgeflow_cloud.infra.outbox import queries as outbox

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context

log = structlog.get_logger("edgeflow.retention")

_BATCH = 1_000  # rows a transaction: short locks, and little to do again after a fault
_BATCHES = 200  # batches a run and entry: one big table does not keep the others waiting for ever
_PAUSE = 0.02  # seconds between batches, for everybody else

Forget = Callable[[Transaction, datetime, int], Awaitable[int]]
"""`forget(tx, before, limit)`: let up to `limit` rows older than `before` go, answer how many."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Rows of `table` are kept for `keep`, then `statement` lets them go.

    `table` is the name in the catalogue (`sessions`, `jobs.attempts`); a test ages every table and asks for
    this. `statement` comes from the owner's queries.py: one DELETE with `$1` the instant before which a row
    is too old and `$2` the most rows to delete, or a function where a DELETE does not fit (partitions are
    dropped whole).
    """

    table: str
    keep: timedelta
    statement: str | Forget


async def _forget(tx: Transaction, entry: Retention, before: datetime) -> int:
    if isinstance(entry.statement, str):
        return int((await tx.execute(entry.statement, before, _BATCH)).rpartition(" ")[2])
    return await entry.statement(tx, before, _BATCH)


async def run_retention(context: "Context", entries: Iterable[Retention]) -> dict[str, int]:
    """Run every entry once, in bounded batches; answers how many rows each table lost.

    One entry that fails is logged and does not keep the others from running; the first error is raised at the
    end, so that the job shows it.
    """
    forgotten: dict[str, int] = {}
    errors: list[Exception] = []
    for entry in entries:
        before = context.clock.now() - entry.keep
        count = 0
        try:
            for _ in range(_BATCHES):
                async with context.db.system_tx(f"retention {entry.table}") as tx:
                    done = await _forget(tx, entry, before)
                count += done
                if done < _BATCH:
                    break
                await asyncio.sleep(_PAUSE)
        except Exception as error:
            log.exception("retention.failed", table=entry.table)
            errors.append(error)
        forgotten[entry.table] = forgotten.get(entry.table, 0) + count
        if count:
            log.info("retention.done", table=entry.table, rows=count)
    if errors:
        raise errors[0]
    return forgotten


def retention_schedule(entries: Iterable[Retention]) -> tuple[Job, Schedule]:
    """The job that runs `entries`, and its schedule: every ten minutes."""
    kept = tuple(entries)

    async def forget_old_rows(context: "Context", payload: dict[str, object]) -> None:
        await run_retention(context, kept)

    job = Job(name="retention.run", handler=forget_old_rows, timeout=timedelta(minutes=10))
    return job, Schedule(name="retention", job=job, every=timedelta(minutes=10))


INFRA_RETENTION = (
    Retention(table="idempotency_keys", keep=timedelta(days=1), statement=http.DELETE_OLD_IDEMPOTENCY_KEYS),
    Retention(table="outbox", keep=timedelta(days=7), statement=outbox.DELETE_OLD_EVENTS),
    Retention(table="jobs.pgqueuer", keep=timedelta(days=30), statement=jobs.DELETE_OLD_PARKED),
    Retention(table="jobs.pgqueuer_log", keep=timedelta(days=3), statement=jobs.DELETE_OLD_LOG),
    Retention(
        table="jobs.pgqueuer_statistics", keep=timedelta(days=30), statement=jobs.DELETE_OLD_STATISTICS
    ),
    Retention(table="jobs.attempts", keep=timedelta(days=7), statement=jobs.DELETE_OLD_ATTEMPTS),
    Retention(table="jobs.schedules", keep=timedelta(days=30), statement=jobs.DELETE_OLD_SCHEDULES),
)
"""What the tables of `infra` itself keep; `app` runs these beside the wirings' own."""
