"""Every SQL statement on `shadows`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.shadows.model import Shadow


async def select_shadow(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> Row | None:
    return await tx.fetchrow(
        """
        select device_id, version, desired, reported, desired_metadata, reported_metadata, updated_at
        from shadows where tenant_id = $1 and device_id = $2
        """,
        tenant_id,
        device_id,
    )


async def select_unmet(
    tx: Transaction, tenant_ids: Sequence[UUID], device_ids: Sequence[UUID]
) -> list[DeviceId]:
    """Those of the devices that may have a delta: all that have one, and some that have a list in desired.

    A list in jsonb contains another also when the order differs, so where there is one the shadow is looked at.
    """
    rows = await tx.fetch(
        """
        select s.device_id
        from unnest($1::uuid[], $2::uuid[]) as asked (tenant_id, device_id)
        join shadows s on s.tenant_id = asked.tenant_id and s.device_id = asked.device_id
        where s.desired <> '{}' and (not s.reported @> s.desired or s.desired::text like '%[%')
        """,
        tenant_ids,
        device_ids,
    )
    return [row["device_id"] for row in rows]


async def lock_shadow(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> Row | None:
    """The shadow, its row locked until the transaction ends: writers of one device come one after another."""
    return await tx.fetchrow(
        """
        select device_id, version, desired, reported, desired_metadata, reported_metadata, updated_at
        from shadows where tenant_id = $1 and device_id = $2
        for no key update
        """,
        tenant_id,
        device_id,
    )


async def insert_shadow(tx: Transaction, tenant_id: TenantId, device_id: DeviceId, at: datetime) -> None:
    """An empty shadow of version 0, unless another writer was first (then this waits for it)."""
    await tx.execute(
        """
        insert into shadows (tenant_id, device_id, updated_at) values ($1, $2, $3)
        on conflict (tenant_id, device_id) do nothing
        """,
        tenant_id,
        device_id,
        at,
    )


async def update_desired(tx: Transaction, tenant_id: TenantId, shadow: Shadow) -> None:
    """Write desired of a shadow that `lock_shadow` holds."""
    await tx.execute(
        """
        update shadows set version = $3, desired = $4, desired_metadata = $5, updated_at = $6
        where tenant_id = $1 and device_id = $2
        """,
        tenant_id,
        shadow.device_id,
        shadow.version,
        shadow.desired,
        shadow.desired_metadata,
        shadow.updated_at,
    )


async def update_reported(tx: Transaction, tenant_id: TenantId, shadow: Shadow) -> None:
    """Write reported of a shadow that `lock_shadow` holds."""
    await tx.execute(
        """
        update shadows set version = $3, reported = $4, reported_metadata = $5, updated_at = $6
        where tenant_id = $1 and device_id = $2
        """,
        tenant_id,
        shadow.device_id,
        shadow.version,
        shadow.reported,
        shadow.reported_metadata,
        shadow.updated_at,
    )
