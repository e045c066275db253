"""Every SQL statement on `provisioning_codes`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, ProvisioningCodeId, TenantId

DELETE_EXPIRED_CODES = """
delete from provisioning_codes where (tenant_id, id) in (
    select tenant_id, id from provisioning_codes
    where used_at is null and expires_at < $1
    order by expires_at limit $2
)"""


async def insert_codes(
    tx: Transaction,
    tenant_id: TenantId,
    rows: Sequence[tuple[ProvisioningCodeId, bytes, str, str | None]],
    tags: Sequence[str],
    reclaim_window: timedelta,
    created_by: str,
    created_at: datetime,
    expires_at: datetime,
) -> set[UUID]:
    """Add codes as (id, hash, hint, name); answers the ids of those whose hash was free."""
    found = await tx.fetch(
        """
        insert into provisioning_codes (
            tenant_id, id, hash, hint, name, tags, reclaim_window, created_by, created_at, expires_at
        )
        select $1, given.id, given.hash, given.hint, given.name, $6, $7, $8, $9, $10
        from unnest($2::uuid[], $3::bytea[], $4::text[], $5::text[]) as given (id, hash, hint, name)
        on conflict (hash) do nothing
        returning id
        """,
        tenant_id,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
        list(tags),
        reclaim_window,
        created_by,
        created_at,
        expires_at,
    )
    return {row["id"] for row in found}


async def select_owner(tx: Transaction, hashed: bytes) -> UUID | None:
    """Whose code it is. Runs before a tenant is known."""
    return await tx.fetchval("select find_provisioning_code($1)", hashed)


async def consume(
    tx: Transaction, tenant_id: TenantId, hashed: bytes, hardware_key: str | None, now: datetime
) -> Row | None:
    """Use the code up: of any number of callers at once exactly one gets the row."""
    return await tx.fetchrow(
        """
        update provisioning_codes set used_at = $4, hardware_key = $3
        where tenant_id = $1 and hash = $2 and used_at is null and expires_at > $4
        returning tenant_id, id, hint, name, tags, reclaim_window, created_at, created_by, expires_at,
            used_at, device_id, hardware_key
        """,
        tenant_id,
        hashed,
        hardware_key,
        now,
    )


async def set_device(
    tx: Transaction, tenant_id: TenantId, code_id: ProvisioningCodeId, device_id: DeviceId
) -> None:
    await tx.execute(
        "update provisioning_codes set device_id = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        code_id,
        device_id,
    )


async def select_by_hash(tx: Transaction, tenant_id: TenantId, hashed: bytes) -> Row | None:
    return await tx.fetchrow(
        """
        select tenant_id, id, hint, name, tags, reclaim_window, created_at, created_by, expires_at, used_at,
            device_id, hardware_key
        from provisioning_codes where tenant_id = $1 and hash = $2
        """,
        tenant_id,
        hashed,
    )


async def select_code(tx: Transaction, tenant_id: TenantId, code_id: ProvisioningCodeId) -> Row | None:
    return await tx.fetchrow(
        """
        select tenant_id, id, hint, name, tags, reclaim_window, created_at, created_by, expires_at, used_at,
            device_id, hardware_key
        from provisioning_codes where tenant_id = $1 and id = $2
        """,
        tenant_id,
        code_id,
    )


async def select_codes(
    tx: Transaction,
    tenant_id: TenantId,
    status: str | None,
    now: datetime,
    after: UUID | None,
    offset: int,
    limit: int,
) -> list[Row]:
    """The newest first. `status` is unused, used, expired or None for all."""
    return await tx.fetch(
        """
        select tenant_id, id, hint, name, tags, reclaim_window, created_at, created_by, expires_at, used_at,
            device_id, hardware_key
        from provisioning_codes
        where tenant_id = $1
            and ($2::text is null or $2 = case when used_at is not null then 'used'
                when expires_at <= $3 then 'expired' else 'unused' end)
            and ($4::uuid is null or id < $4)
        order by id desc
        offset $5 limit $6
        """,
        tenant_id,
        status,
        now,
        after,
        offset,
        limit,
    )


async def count_codes(tx: Transaction, tenant_id: TenantId, status: str | None, now: datetime) -> int:
    return await tx.fetchval(
        """
        select count(*) from provisioning_codes
        where tenant_id = $1
            and ($2::text is null or $2 = case when used_at is not null then 'used'
                when expires_at <= $3 then 'expired' else 'unused' end)
        """,
        tenant_id,
        status,
        now,
    )


async def delete_code(tx: Transaction, tenant_id: TenantId, code_id: ProvisioningCodeId) -> Row | None:
    return await tx.fetchrow(
        "delete from provisioning_codes where tenant_id = $1 and id = $2 returning hint, used_at, device_id",
        tenant_id,
        code_id,
    )
