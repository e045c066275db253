"""Every SQL statement on `provisioning_codes` and `released_devices`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import BatchId, DeviceId, GroupId, ProjectId, ProvisioningCodeId, TenantId

DELETE_UNCLAIMED = """
delete from released_devices where id in (
    select id from released_devices where expires_at < $1 order by expires_at limit $2
)"""

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
    batch_id: BatchId | None,
    project_id: ProjectId | None,
    group_id: GroupId | None,
) -> set[UUID]:
    """Add codes as (id, hash, hint, name); answers the ids of those whose hash was free.

    Raises ForeignKeyViolationError when the organization has no such project.
    """
    found = await tx.fetch(
        """
        insert into provisioning_codes (
            tenant_id, id, hash, hint, name, tags, reclaim_window, created_by, created_at, expires_at,
            batch_id, project_id, group_id
        )
        select $1, given.id, given.hash, given.hint, given.name, $6, $7, $8, $9, $10, $11, $12, $13
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
        batch_id,
        project_id,
        group_id,
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
            used_at, device_id, hardware_key,
            batch_id, project_id, group_id
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
            device_id, hardware_key, batch_id, project_id, group_id
        from provisioning_codes where tenant_id = $1 and hash = $2
        """,
        tenant_id,
        hashed,
    )


async def select_code(tx: Transaction, tenant_id: TenantId, code_id: ProvisioningCodeId) -> Row | None:
    return await tx.fetchrow(
        """
        select tenant_id, id, hint, name, tags, reclaim_window, created_at, created_by, expires_at, used_at,
            device_id, hardware_key, batch_id, project_id, group_id
        from provisioning_codes where tenant_id = $1 and id = $2
        """,
        tenant_id,
        code_id,
    )


async def select_by_device(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> Row | None:
    return await tx.fetchrow(
        """
        select tenant_id, id, hint, name, tags, reclaim_window, created_at, created_by, expires_at, used_at,
            device_id, hardware_key, batch_id, project_id, group_id
        from provisioning_codes where tenant_id = $1 and device_id = $2
        """,
        tenant_id,
        device_id,
    )


async def select_codes(
    tx: Transaction,
    tenant_id: TenantId,
    status: str | None,
    batch_id: BatchId | None,
    now: datetime,
    after: UUID | None,
    offset: int,
    limit: int,
) -> list[Row]:
    """The newest first. `status` is unused, used, expired or None for all."""
    return await tx.fetch(
        """
        select tenant_id, id, hint, name, tags, reclaim_window, created_at, created_by, expires_at, used_at,
            device_id, hardware_key, batch_id, project_id, group_id
        from provisioning_codes
        where tenant_id = $1
            and ($2::text is null or $2 = case when used_at is not null then 'used'
                when expires_at <= $3 then 'expired' else 'unused' end)
            and ($4::uuid is null or id < $4)
            and ($7::uuid is null or batch_id = $7)
        order by id desc
        offset $5 limit $6
        """,
        tenant_id,
        status,
        now,
        after,
        offset,
        limit,
        batch_id,
    )


async def count_codes(
    tx: Transaction, tenant_id: TenantId, status: str | None, batch_id: BatchId | None, now: datetime
) -> int:
    return await tx.fetchval(
        """
        select count(*) from provisioning_codes
        where tenant_id = $1
            and ($2::text is null or $2 = case when used_at is not null then 'used'
                when expires_at <= $3 then 'expired' else 'unused' end)
            and ($4::uuid is null or batch_id = $4)
        """,
        tenant_id,
        status,
        now,
        batch_id,
    )


async def delete_code(tx: Transaction, tenant_id: TenantId, code_id: ProvisioningCodeId) -> Row | None:
    return await tx.fetchrow(
        "delete from provisioning_codes where tenant_id = $1 and id = $2 returning hint, used_at, device_id",
        tenant_id,
        code_id,
    )


async def delete_unused(tx: Transaction, tenant_id: TenantId, batch_id: BatchId) -> int:
    """Delete the batch's codes that no device has shown; answers how many there were."""
    rows = await tx.fetch(
        """
        delete from provisioning_codes where tenant_id = $1 and batch_id = $2 and used_at is null returning id
        """,
        tenant_id,
        batch_id,
    )
    return len(rows)


async def release_device(
    tx: Transaction,
    device_id: DeviceId,
    fresh_hash: bytes,
    fresh_hint: str,
    known_by: str | None,
    at: datetime,
    until: datetime,
) -> Row | None:
    """Note a device of the current organization as released; (hint, fresh) of the code that it waits under."""
    return await tx.fetchrow(
        "select hint, fresh from release_device($1, $2, $3, $4, $5, $6)",
        device_id,
        fresh_hash,
        fresh_hint,
        known_by,
        at,
        until,
    )


async def take_released(tx: Transaction, hashed: bytes, at: datetime) -> Row | None:
    """(hint, hardware, hardware_key) of the released device, which waits no more."""
    return await tx.fetchrow(
        "select hint, hardware, hardware_key from take_released_device($1, $2)", hashed, at
    )


async def insert_used(
    tx: Transaction,
    tenant_id: TenantId,
    code_id: ProvisioningCodeId,
    hashed: bytes,
    hint: str,
    reclaim_window: timedelta,
    created_by: str,
    now: datetime,
    device_id: DeviceId,
    hardware_key: str | None,
) -> None:
    """The code of a device that was claimed: used up, so that only its own hardware may show it again."""
    await tx.execute(
        """
        insert into provisioning_codes (
            tenant_id, id, hash, hint, reclaim_window, created_by, created_at, expires_at, used_at, device_id,
            hardware_key
        ) values ($1, $2, $3, $4, $5, $6, $7, $7, $7, $8, $9)
        """,
        tenant_id,
        code_id,
        hashed,
        hint,
        reclaim_window,
        created_by,
        now,
        device_id,
        hardware_key,
    )
