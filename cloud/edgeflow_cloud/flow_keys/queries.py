"""Every SQL statement on `flow_keys`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.flow_keys.model import NewKey
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import TenantId


async def select_keys(tx: Transaction, tenant_id: TenantId) -> list[Row]:
    """The oldest first."""
    return await tx.fetch(
        """
        select tenant_id, key_id, public_key, endorsed_by, endorsement, created_by, created_at, retires_at
        from flow_keys
        where tenant_id = $1
        order by created_at, key_id
        """,
        tenant_id,
    )


async def select_sealed(tx: Transaction, tenant_id: TenantId, key_id: str) -> bytes | None:
    """The private half, None when it is gone."""
    return await tx.fetchval(
        "select sealed from flow_keys where tenant_id = $1 and key_id = $2", tenant_id, key_id
    )


async def insert_key(
    tx: Transaction, tenant_id: TenantId, key: NewKey, sealed: bytes, created_by: str, now: datetime
) -> bool:
    """False when the key before has a successor already."""
    return (
        await tx.fetchval(
            """
            insert into flow_keys
                (tenant_id, key_id, public_key, sealed, endorsed_by, endorsement, created_by, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (tenant_id, endorsed_by) do nothing
            returning true
            """,
            tenant_id,
            key.key_id,
            key.public_key,
            sealed,
            key.endorsed_by,
            key.endorsement,
            created_by,
            now,
        )
        is True
    )


async def retire_key(tx: Transaction, tenant_id: TenantId, key_id: str, retires_at: datetime) -> None:
    """It signs nothing from now on; devices take what it signed until `retires_at`."""
    await tx.execute(
        "update flow_keys set retires_at = $3, sealed = null where tenant_id = $1 and key_id = $2",
        tenant_id,
        key_id,
        retires_at,
    )


async def select_all_sealed(tx: Transaction, tenant_id: UUID, key_id: str, limit: int) -> list[Row]:
    """Of the whole instance, behind the given one, locked: needs a system transaction."""
    return await tx.fetch(
        """
        select tenant_id, key_id, sealed from flow_keys
        where (tenant_id, key_id) > ($1, $2::text) and sealed is not null
        order by tenant_id, key_id
        limit $3
        for update
        """,
        tenant_id,
        key_id,
        limit,
    )


async def replace_sealed(tx: Transaction, changed: Sequence[tuple[UUID, str, bytes]]) -> None:
    await tx.executemany("update flow_keys set sealed = $3 where tenant_id = $1 and key_id = $2", changed)
