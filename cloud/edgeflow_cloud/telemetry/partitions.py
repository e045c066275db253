"""How telemetry is kept on disk: native partitions, one a day. Where the server has TimescaleDB, it does the cutting
and the database's own functions, which this calls, know it: migration 0032 alone tells the two apart.

A day's partition is made ahead by a schedule, or when a row of a day without one arrives (a device that was away for
long sends what it has kept). Days older than KEEP are dropped whole.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from edgeflow_cloud.infra.db import Database, Transaction
from edgeflow_cloud.infra.retention import Forget
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.model import Batch, Row

_AHEAD_DAYS = 2
_DROPPED_AT_ONCE = 10

SAMPLES, CUSTOM, EVENTS, LOGS = "system_samples", "custom_samples", "device_events", "device_logs"
SYSTEM_1M, CUSTOM_1M = "system_1m", "custom_1m"
TABLES = (SAMPLES, CUSTOM, EVENTS, LOGS, SYSTEM_1M, CUSTOM_1M)
Place = tuple[str, date]
"""A table and a day (UTC) of it."""


def places_of(batches: Iterable[Batch]) -> set[Place]:
    """Where the batches' rows belong."""
    places: set[Place] = set()
    for batch in batches:
        _add(places, SAMPLES, batch.rows, 2)
        _add(places, CUSTOM, batch.custom, 3)
        _add(places, EVENTS, batch.events, 3)
        _add(places, LOGS, batch.lines, 3)
    return places


def _add(places: set[Place], table: str, rows: Iterable[Row], position: int) -> None:
    for row in rows:
        time = row[position]
        if isinstance(time, datetime):
            places.add((table, time.astimezone(UTC).date()))


async def make_partitions(db: Database, places: Iterable[Place]) -> None:
    """Make what is missing, each in a transaction of its own: short locks."""
    for table, day in sorted(places):
        async with db.system_tx("telemetry partitions") as tx:
            if table == SAMPLES:
                await queries.make_partition(tx, day)
            else:
                await queries.make_day_partition(tx, table, day)


async def make_partitions_ahead(db: Database, now: datetime) -> None:
    """Make the partitions of today and the next two days."""
    today = now.astimezone(UTC).date()
    days = [today + timedelta(days=count) for count in range(_AHEAD_DAYS + 1)]
    await make_partitions(db, ((table, day) for table in TABLES for day in days))


async def drop_old_partitions(tx: Transaction, before: datetime, limit: int) -> int:
    """Retention: drop days that ended before `before`, a few at once; answers 0, for there is no second
    batch.
    """
    await queries.drop_partitions(tx, before, min(limit, _DROPPED_AT_ONCE))
    return 0


def drop_old(table: str) -> Forget:
    """The same for another table of TABLES."""

    async def drop(tx: Transaction, before: datetime, limit: int) -> int:
        await queries.drop_day_partitions(tx, table, before, min(limit, _DROPPED_AT_ONCE))
        return 0

    return drop
