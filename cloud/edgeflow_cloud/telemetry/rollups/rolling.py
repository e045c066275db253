"""The work: what ingest noted as unrolled is computed anew, whole steps at a time, a few devices a transaction.

A rollup is always made from all that lies below it, never added to: doing it twice changes nothing, and late samples
are no special case. Samples older than an organization keeps them are not looked at: part of them is gone, so their
rollups stay.
"""

import time
from datetime import date, datetime, timedelta

from edgeflow_cloud import quotas
from edgeflow_cloud.infra.db import Database, Transaction
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.telemetry.rollups import queries
from edgeflow_cloud.telemetry.rollups.model import DAY, HOUR, MINUTE, NEXT, Due, ceil, cut, floor

_RUNS = 5_000  # cursors a claim
_DEVICES = {MINUTE: 100, HOUR: 200, DAY: 500}  # a transaction: well under a second each
_MOST = {MINUTE: timedelta(days=1), HOUR: timedelta(days=31), DAY: timedelta(days=3_650)}
"""How much of one device is done at once; the rest stays due."""


async def roll_up(db: Database, step: int, now: datetime, seconds: float = 50.0) -> int:
    """Compute what is due at `step`, for at most about so many seconds; answers how many stretches were done."""
    until, done = time.monotonic() + seconds, 0
    claimed = _RUNS if step == MINUTE else 0
    while (
        claimed == _RUNS and time.monotonic() < until
    ):  # once over all: those that go on sending have more at once
        async with db.system_tx("rollups: claim") as tx:
            claimed = await queries.claim_unrolled(tx, _RUNS)
    while time.monotonic() < until:
        async with db.system_tx("rollups") as tx:
            count = await _roll_some(tx, step, now)
        if count == 0:
            break
        done += count
    return done


async def _roll_some(tx: Transaction, step: int, now: datetime) -> int:
    taken = await queries.take_due(tx, step, _DEVICES[step])
    floors: dict[TenantId, datetime] = {}
    work: list[Due] = []
    rest: list[Due] = []
    for due in taken:
        if due.tenant_id not in floors:
            plan = await quotas.plan_of(tx, due.tenant_id)
            floors[due.tenant_id] = floor(now - timedelta(days=plan.raw_days), DAY)
        start = max(floor(due.start, step), floors[due.tenant_id])
        end = ceil(due.end, step)
        if start >= end:
            continue
        until = cut(start, end, _MOST[step])
        work.append(Due(due.tenant_id, due.device_id, start, until))
        if until < end:
            rest.append(Due(due.tenant_id, due.device_id, until, end))
    if work:
        if step == MINUTE:
            await queries.make_minute_partitions(tx, _days(work))
        await queries.roll(tx, step, work)
        if step in NEXT:
            await queries.add_due(tx, NEXT[step], work)
    if rest:
        await queries.add_due(tx, step, rest)
    return len(taken)


def _days(work: list[Due]) -> list[date]:
    days: set[date] = set()
    for due in work:
        day = floor(due.start, DAY)
        while day < due.end:
            days.add(day.date())
            day += timedelta(days=1)
    return sorted(days)
