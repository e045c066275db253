"""SQL of archives: their list, and the rows that go into one."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, ExportId, TenantId

_AT_ONCE: Final = 1_000  # rows read at once: what is held in memory
_PATIENCE: Final = 600.0  # seconds for the first of a table's rows: the server gathers them before

_SLOWLY: Final = (
    f"set local statement_timeout = {int(_PATIENCE * 1000)};"
    f" set local idle_in_transaction_session_timeout = {int(_PATIENCE * 1000)}"
)
"""What is read is compressed and written before more is asked for, perhaps on a slow disk; nobody waits for a lock."""

_TABLE = "select document from export_tenant_rows($1, $2)"
"""Rows of one table of a tenant as JSON: no hash, seed or sealed text is among the columns."""

FORGET_EXPORTS = """
    delete from organization_exports where (tenant_id, id) in (
        select tenant_id, id from organization_exports where created_at < $1 order by created_at limit $2
    )
"""


async def insert_export(
    tx: Transaction, tenant_id: TenantId, export_id: ExportId, created_by: str, now: datetime
) -> None:
    await tx.execute(
        """
        insert into organization_exports (tenant_id, id, state, created_by, created_at)
        values ($1, $2, 'waiting', $3, $4)
        """,
        tenant_id,
        export_id,
        created_by,
        now,
    )


async def select_export(tx: Transaction, tenant_id: TenantId, export_id: ExportId) -> Row | None:
    return await tx.fetchrow(
        """
        select id, state, progress, rows, size, created_by, created_at, finished_at
        from organization_exports where tenant_id = $1 and id = $2
        """,
        tenant_id,
        export_id,
    )


async def select_exports(tx: Transaction, tenant_id: TenantId, limit: int) -> list[Row]:
    """The newest first."""
    return await tx.fetch(
        """
        select id, state, progress, rows, size, created_by, created_at, finished_at
        from organization_exports where tenant_id = $1 order by id desc limit $2
        """,
        tenant_id,
        limit,
    )


async def set_progress(
    tx: Transaction, tenant_id: TenantId, export_id: ExportId, progress: int, rows: int
) -> None:
    await tx.execute(
        "update organization_exports set progress = $3, rows = $4 where tenant_id = $1 and id = $2",
        tenant_id,
        export_id,
        progress,
        rows,
    )


async def finish_export(
    tx: Transaction, tenant_id: TenantId, export_id: ExportId, rows: int, size: int, now: datetime
) -> None:
    await tx.execute(
        """
        update organization_exports set state = 'done', progress = 100, rows = $3, size = $4, finished_at = $5
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        export_id,
        rows,
        size,
        now,
    )


async def give_up_exports(tx: Transaction, before: datetime, now: datetime) -> None:
    """Archives that were ordered before and are not there are not going to be: needs a system transaction."""
    await tx.execute(
        """
        update organization_exports set state = 'failed', finished_at = $2
        where state = 'waiting' and created_at < $1
        """,
        before,
        now,
    )


async def select_tenant_tables(tx: Transaction) -> list[str]:
    """Every table that holds rows of an organization, but the audit log and the organization itself."""
    rows = await tx.fetch("select name from tenant_tables()")
    return [row["name"] for row in rows]


async def table_rows(tx: Transaction, tenant_id: TenantId, table: str) -> AsyncIterator[list[str]]:
    """An organization's rows of one table, some at a time."""
    await tx.execute(_SLOWLY)
    cursor = await tx.cursor(_TABLE, table, tenant_id, timeout=_PATIENCE)
    while rows := await cursor.fetch(_AT_ONCE, timeout=_PATIENCE):
        yield [row["document"] for row in rows]


async def device_rows(
    tx: Transaction, statement: str, tenant_id: TenantId, device_id: DeviceId
) -> AsyncIterator[list[str]]:
    """One device's rows of a file, some at a time."""
    await tx.execute(_SLOWLY)
    cursor = await tx.cursor(statement, tenant_id, device_id, timeout=_PATIENCE)
    while rows := await cursor.fetch(_AT_ONCE, timeout=_PATIENCE):
        yield [row["document"] for row in rows]
