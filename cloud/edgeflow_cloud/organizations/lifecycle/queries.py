"""SQL of an organization's end: closing, opening, purging, exporting."""

from datetime import datetime
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import ExportId, TenantId


async def set_suspended(
    tx: Transaction, tenant_id: TenantId, at: datetime | None, reason: str | None
) -> None:
    await tx.execute(
        "update organizations set suspended_at = $2, suspended_reason = $3 where tenant_id = $1",
        tenant_id,
        at,
        reason,
    )


async def set_deleted(
    tx: Transaction, tenant_id: TenantId, at: datetime | None, purge_after: datetime | None
) -> None:
    await tx.execute(
        "update organizations set deleted_at = $2, purge_after = $3 where tenant_id = $1",
        tenant_id,
        at,
        purge_after,
    )


async def select_all(tx: Transaction, text: str, limit: int) -> list[Row]:
    """Organizations of the whole instance whose name or slug holds `text`: needs a system transaction."""
    return await tx.fetch(
        """
        select tenant_id, name, slug, settings, metadata, version, created_at, updated_at,
            suspended_at, deleted_at, purge_after
        from organizations
        where position(lower($1) in lower(name)) > 0 or position(lower($1) in slug) > 0
        order by created_at, tenant_id limit $2
        """,
        text,
        limit,
    )


async def select_named(tx: Transaction, slug: str, tenant_id: UUID | None) -> UUID | None:
    """The organization with this short name or id, whoever owns it: needs a system transaction."""
    return await tx.fetchval(
        "select tenant_id from organizations where slug = $1 or tenant_id = $2", slug, tenant_id
    )


async def select_due(tx: Transaction, now: datetime, limit: int) -> list[Row]:
    """Organizations whose grace time is over: needs a system transaction."""
    return await tx.fetch(
        "select tenant_id, name from organizations where purge_after <= $1 order by purge_after limit $2",
        now,
        limit,
    )


async def select_tenant_tables(tx: Transaction) -> list[str]:
    """Every table that holds rows of a tenant and may lose them: all but the audit log, which nobody changes."""
    rows = await tx.fetch("select name from tenant_tables()")
    return [row["name"] for row in rows]


async def forget_rows(tx: Transaction, table: str, tenant_id: TenantId, limit: int) -> int:
    """Delete up to `limit` rows of the tenant from one of `tenant_tables()`, if its grace time is over at all."""
    return await tx.fetchval("select forget_tenant_rows($1, $2, $3)", table, tenant_id, limit)


async def delete_organization(tx: Transaction, tenant_id: TenantId, now: datetime) -> bool:
    """False when it was restored meanwhile."""
    return (
        await tx.fetchval(
            "delete from organizations where tenant_id = $1 and purge_after <= $2 returning true",
            tenant_id,
            now,
        )
        is True
    )


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
        select id, state, size, created_by, created_at, finished_at
        from organization_exports where tenant_id = $1 and id = $2
        """,
        tenant_id,
        export_id,
    )


async def select_exports(tx: Transaction, tenant_id: TenantId, limit: int) -> list[Row]:
    """The newest first."""
    return await tx.fetch(
        """
        select id, state, size, created_by, created_at, finished_at
        from organization_exports where tenant_id = $1 order by id desc limit $2
        """,
        tenant_id,
        limit,
    )


async def finish_export(
    tx: Transaction, tenant_id: TenantId, export_id: ExportId, state: str, size: int | None, now: datetime
) -> None:
    await tx.execute(
        """
        update organization_exports set state = $3, size = $4, finished_at = $5
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        export_id,
        state,
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


EXPORT_ROWS = "select document from export_tenant_rows($1, $2)"
"""Rows of one table of a tenant as JSON, for a cursor: no hash, seed or sealed text is among the columns."""

FORGET_EXPORTS = """
    delete from organization_exports where (tenant_id, id) in (
        select tenant_id, id from organization_exports where created_at < $1 order by created_at limit $2
    )
"""
