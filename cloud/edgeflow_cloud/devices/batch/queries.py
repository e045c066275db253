"""Every SQL statement on many devices at once. Entries are lists of objects, one a device."""

from collections.abc import Sequence
from uuid import UUID

from edgeflow_cloud.devices.queries import COLUMNS
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import TenantId

Entries = list[dict[str, object]]


async def lock_named(
    tx: Transaction, tenant_id: TenantId, device_ids: Sequence[UUID], names: Sequence[str], limit: int
) -> list[Row]:
    """Devices with these ids or exactly these names, locked in the order of their ids."""
    return await tx.fetch(
        f"""
        select {COLUMNS}
        from devices d join device_presence p on p.tenant_id = d.tenant_id and p.device_id = d.id
        where d.tenant_id = $1 and (d.id = any ($2::uuid[]) or d.name = any ($3::text[]))
        order by d.id limit $4 for update of d
        """,  # noqa: S608 - constants
        tenant_id,
        list(device_ids),
        list(names),
        limit,
    )


async def insert_devices(tx: Transaction, tenant_id: TenantId, entries: Entries) -> None:
    """With their presence. Raises ForeignKeyViolationError when the organization has no such project."""
    await tx.execute(
        """
        with entered as (
            insert into devices (tenant_id, id, name, notes, tags, project_id, place_name, latitude, longitude)
            select $1, e.id, e.name, e.notes, e.tags, e.project_id, e.place_name, e.latitude, e.longitude
            from jsonb_to_recordset($2::jsonb) as e (
                id uuid, name text, notes text, tags text[], project_id uuid, place_name text,
                latitude double precision, longitude double precision
            )
            returning tenant_id, id
        )
        insert into device_presence (tenant_id, device_id) select tenant_id, id from entered
        """,
        tenant_id,
        entries,
    )


async def insert_keys(
    tx: Transaction,
    tenant_id: TenantId,
    device_ids: Sequence[UUID],
    key_ids: Sequence[UUID],
    hashes: Sequence[bytes],
    prefixes: Sequence[str],
) -> None:
    await tx.execute(
        """
        insert into device_keys (tenant_id, device_id, id, hash, prefix)
        select $1, made.device_id, made.id, made.hash, made.prefix
        from unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::text[]) made (device_id, id, hash, prefix)
        """,
        tenant_id,
        list(device_ids),
        list(key_ids),
        list(hashes),
        list(prefixes),
    )


async def update_devices(tx: Transaction, tenant_id: TenantId, entries: Entries) -> None:
    """Raises ForeignKeyViolationError when the organization has no such project."""
    await tx.execute(
        """
        update devices d set name = e.name, notes = e.notes, tags = e.tags, project_id = e.project_id,
            place_name = e.place_name, latitude = e.latitude, longitude = e.longitude, version = d.version + 1,
            updated_at = now()
        from jsonb_to_recordset($2::jsonb) as e (
            id uuid, name text, notes text, tags text[], project_id uuid, place_name text,
            latitude double precision, longitude double precision
        )
        where d.tenant_id = $1 and d.id = e.id
        """,
        tenant_id,
        entries,
    )
