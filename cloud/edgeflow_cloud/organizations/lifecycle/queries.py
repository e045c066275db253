"""SQL of an organization's end: closing, opening, purging."""

from datetime import datetime
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import TenantId


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
