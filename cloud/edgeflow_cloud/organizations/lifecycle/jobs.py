"""Background work of an organization's end: removing what nobody wants any more.

A purge deletes table by table in small transactions, with the organization itself last: killed anywhere, it goes on
at the next run. The audit log stays: it is what proves that, when and by whom the organization was deleted.
"""

from datetime import timedelta
from typing import Final

import structlog

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.organizations.lifecycle import queries
from edgeflow_cloud.organizations.lifecycle.service import exports_folder

log = structlog.get_logger("edgeflow.organizations")

_BATCH: Final = 2_000  # rows a transaction of a purge
_AT_ONCE: Final = 20  # organizations a run


async def purge(context: Context, payload: dict[str, object]) -> None:
    """Job: remove organizations whose grace time is over."""
    now = context.clock.now()
    async with context.db.system_tx("purge due") as tx:
        due = await queries.select_due(tx, now, _AT_ONCE)
    for row in due:
        await _purge(context, TenantId(row["tenant_id"]))


async def _purge(context: Context, tenant_id: TenantId) -> None:
    name = ids.encode(ids.ORGANIZATION, tenant_id)
    async with context.db.system_tx("purge tables") as tx:
        tables = await queries.select_tenant_tables(tx)
    rows = 0
    for table in tables:
        gone = _BATCH
        while gone >= _BATCH:
            async with context.db.system_tx(f"purge {table}") as tx:
                gone = await queries.forget_rows(tx, table, tenant_id, _BATCH)
            rows += gone
    archives = [blob.key async for blob in context.blobs.keys(exports_folder(tenant_id))]
    for key in archives:
        await context.blobs.delete(key)
    async with context.db.system_tx("purge organization") as tx:
        done = await queries.delete_organization(tx, tenant_id, context.clock.now())
    log.info("organizations.purged" if done else "organizations.restored", organization=name, rows=rows)


PURGE = Job(name="organizations.purge", handler=purge, timeout=timedelta(minutes=30), concurrency=1)
SCHEDULE = Schedule(name="purge organizations", job=PURGE, every=timedelta(hours=1))

__all__ = ["PURGE", "SCHEDULE", "purge"]
