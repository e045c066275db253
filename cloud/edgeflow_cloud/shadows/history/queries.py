"""Every SQL statement that reads `shadow_history`, or lets old rows of it go."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, TenantId

LISTED_BYTES = 16 * 1024


async def select_versions(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, below: int | None, offset: int, limit: int
) -> list[Row]:
    """The newest first; long patches are left out and marked."""
    return await tx.fetch(
        """
        select version, changed, at, by_kind, by_id, pg_column_size(patch) > $6 as truncated,
            case when pg_column_size(patch) <= $6 then patch else '{}'::jsonb end as patch
        from shadow_history
        where tenant_id = $1 and device_id = $2 and ($3::bigint is null or version < $3)
        order by version desc
        offset $4 limit $5
        """,
        tenant_id,
        device_id,
        below,
        offset,
        limit,
        LISTED_BYTES,
    )


async def select_version(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, version: int
) -> Row | None:
    return await tx.fetchrow(
        """
        select version, changed, at, by_kind, by_id, patch
        from shadow_history
        where tenant_id = $1 and device_id = $2 and version = $3
        """,
        tenant_id,
        device_id,
        version,
    )


async def select_snapshot(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, version: int
) -> Row | None:
    """The whole state at this version, or at the next above it that keeps one."""
    return await tx.fetchrow(
        """
        select version, at, snapshot
        from shadow_history
        where tenant_id = $1 and device_id = $2 and version >= $3 and snapshot is not null
        order by version
        limit 1
        """,
        tenant_id,
        device_id,
        version,
    )


async def select_undos(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, above: int, upto: int
) -> list[Row]:
    """The ways back of the versions above `above` until `upto`, the newest first."""
    return await tx.fetch(
        """
        select version, undo
        from shadow_history
        where tenant_id = $1 and device_id = $2 and version > $3 and version <= $4
        order by version desc
        """,
        tenant_id,
        device_id,
        above,
        upto,
    )


async def select_wishes(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, above: int, upto: int, limit: int
) -> list[Row]:
    """The ways back of what people wanted, for the versions above `above` until `upto`, the newest first."""
    return await tx.fetch(
        """
        select version, coalesce(undo -> 'desired', '{}'::jsonb) as undo
        from shadow_history
        where tenant_id = $1 and device_id = $2 and version > $3 and version <= $4 and changed <> 'reported'
        order by version desc
        limit $5
        """,
        tenant_id,
        device_id,
        above,
        upto,
        limit,
    )


async def reaches_back_to(tx: Transaction, tenant_id: TenantId, device_id: DeviceId, version: int) -> bool:
    """Whether everything that people changed after this version is kept: an older row is, or the next one."""
    return (
        await tx.fetchval(
            """
            select exists (
                select from shadow_history where tenant_id = $1 and device_id = $2 and version <= $3 + 1::bigint
            )
            """,
            tenant_id,
            device_id,
            version,
        )
        is True
    )


async def delete_old(tx: Transaction, before: datetime, limit: int) -> int:
    """The oldest rows of all organizations; answers how many went."""
    return _count(
        await tx.execute(
            """
            delete from shadow_history where (tenant_id, device_id, version) in (
                select tenant_id, device_id, version from shadow_history where at < $1 order by at limit $2
            )
            """,
            before,
            limit,
        )
    )


async def delete_old_of(tx: Transaction, tenant_ids: Sequence[TenantId], before: datetime, limit: int) -> int:
    """The same, of some organizations only."""
    return _count(
        await tx.execute(
            """
            delete from shadow_history where (tenant_id, device_id, version) in (
                select tenant_id, device_id, version from shadow_history
                where tenant_id = any($1::uuid[]) and at < $2
                order by at
                limit $3
            )
            """,
            list(tenant_ids),
            before,
            limit,
        )
    )


def _count(done: str) -> int:
    return int(done.rpartition(" ")[2])
