"""Partitions hold everybody's day, so they go only with the longest plan. The rows of shorter plans go here before.

One organization, one table, one day (UTC) a transaction: what that can be is bounded by the plan's number of devices,
for only plans with few devices keep less. Whole days go, so that no day's rollup is ever made of a part of it.
"""

import asyncio
import time
from datetime import datetime, timedelta

import structlog

from edgeflow_cloud import quotas
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.telemetry.model import HISTORY_DAYS, HOURS_DAYS, KEEP, MINUTES_DAYS
from edgeflow_cloud.telemetry.rollups.model import DAY, floor
from edgeflow_cloud.telemetry.sweeping import queries

log = structlog.get_logger("edgeflow.telemetry")

RAW = (
    ("system_samples", "time"),
    ("custom_samples", "time"),
    ("device_events", "time"),
    ("device_logs", "time"),
    ("executions", "started_at"),
)
"""Kept for a plan's `raw_days`."""
HISTORY = (
    ("system_1m", MINUTES_DAYS),
    ("custom_1m", MINUTES_DAYS),
    ("system_1h", HOURS_DAYS),
    ("custom_1h", HOURS_DAYS),
    ("system_1d", HISTORY_DAYS),
    ("custom_1d", HISTORY_DAYS),
)
"""Kept for a plan's `history_days`, at most for so many."""
_TENANTS = 200  # a page of organizations
_PAUSE = 0.01  # seconds after a deletion, for everybody else


async def sweep(db: Database, now: datetime, seconds: float = 240.0) -> int:
    """Delete what plans do not keep any more, for at most about so many seconds; answers how many rows went.

    What is not reached is there in the next run.
    """
    until, rows = time.monotonic() + seconds, 0
    for plan in quotas.PLANS.values():
        places = _places(plan, now)
        after: TenantId | None = None
        while places:
            async with db.system_tx("retention by plan: organizations") as tx:
                tenants = await quotas.list_tenants(tx, plan.name, after, _TENANTS)
            for tenant_id in tenants:
                for table, column, before in places:
                    rows += await _sweep_table(db, tenant_id, table, column, before, until)
            if len(tenants) < _TENANTS or time.monotonic() > until:
                break
            after = tenants[-1]
    if rows:
        log.info("telemetry.swept", rows=rows)
    return rows


def _places(plan: quotas.Plan, now: datetime) -> list[tuple[str, str, datetime]]:
    """Table, column of the time, and the midnight before which rows go: only where the plan keeps less."""
    raw, history = (floor(now - timedelta(days=days), DAY) for days in (plan.raw_days, plan.history_days))
    places = [(table, column, raw) for table, column in RAW if plan.raw_days < KEEP.days]
    return places + [(table, "time", history) for table, days in HISTORY if plan.history_days < days]


async def _sweep_table(
    db: Database, tenant_id: TenantId, table: str, column: str, before: datetime, until: float
) -> int:
    rows = 0
    while time.monotonic() < until:
        async with db.system_tx("retention by plan") as tx:
            oldest = await queries.select_oldest(tx, table, column, tenant_id, before)
            if oldest is None:
                break
            day = floor(oldest, DAY)
            rows += await queries.delete_between(
                tx, table, column, tenant_id, day, min(day + timedelta(days=1), before)
            )
        await asyncio.sleep(_PAUSE)
    return rows
