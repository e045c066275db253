"""How samples are kept on disk: native partitions, one a day. The only file that would know TimescaleDB.

A day's partition is made ahead by a schedule, or when a sample of a day without one arrives (a device that
was away for long sends what it has kept). Days older than KEEP are dropped whole.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from edgeflow_cloud.infra.db import Database, Transaction
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.model import Batch

_AHEAD_DAYS = 2
_TIME = queries.COLUMNS.index("time")
_DROPPED_AT_ONCE = 10


def days_of(batches: Iterable[Batch]) -> set[date]:
    """The days (UTC) that the batches' rows belong to."""
    days: set[date] = set()
    for batch in batches:
        for row in batch.rows:
            time = row[_TIME]
            if isinstance(time, datetime):
                days.add(time.astimezone(UTC).date())
    return days


async def make_partitions(db: Database, days: Iterable[date]) -> None:
    """Make what is missing, each in a transaction of its own: short locks."""
    for day in sorted(days):
        async with db.system_tx("telemetry partitions") as tx:
            await queries.make_partition(tx, day)


async def make_partitions_ahead(db: Database, now: datetime) -> None:
    """Make the partitions of today and the next two days."""
    today = now.astimezone(UTC).date()
    await make_partitions(db, (today + timedelta(days=count) for count in range(_AHEAD_DAYS + 1)))


async def drop_old_partitions(tx: Transaction, before: datetime, limit: int) -> int:
    """Retention: drop days that ended before `before`, a few at once; answers 0, for there is no second
    batch.
    """
    await queries.drop_partitions(tx, before, min(limit, _DROPPED_AT_ONCE))
    return 0
