"""Every SQL statement on `devices` and `device_keys`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.devices.model import Place
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, ProjectId, TenantId

COLUMNS = """d.tenant_id, d.id as device_id, d.name, d.notes, d.tags, d.hardware, d.network, d.firmware_version,
    d.agent_version, d.project_id, d.place_name, d.latitude, d.longitude, d.version, d.created_at, d.updated_at,
    p.online, p.last_seen_at, p.connected_at, p.negotiated_at, (
        select array_agg(g.name order by m.added_at, g.id)
        from device_group_members m join device_groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
        where m.tenant_id = d.tenant_id and m.device_id = d.id
    ) as groups"""
"""Of one device `d` with its presence `p`; `groups` are the names of its fixed ones, the first one first."""


async def insert_device(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    name: str,
    notes: str,
    tags: Sequence[str],
    hardware: dict[str, object],
    network: dict[str, object],
    project_id: ProjectId | None,
    place: Place,
) -> None:
    """Raises ForeignKeyViolationError when the organization has no such project."""
    await tx.execute(
        """
        insert into devices (tenant_id, id, name, notes, tags, hardware, network, project_id, place_name, latitude,
            longitude)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        tenant_id,
        device_id,
        name,
        notes,
        list(tags),
        hardware,
        network,
        project_id,
        place.name,
        place.latitude,
        place.longitude,
    )


async def insert_presence(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> None:
    await tx.execute(
        "insert into device_presence (tenant_id, device_id) values ($1, $2)", tenant_id, device_id
    )


async def insert_key(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, key_id: UUID, hashed: bytes, prefix: str
) -> None:
    await tx.execute(
        """
        insert into device_keys (tenant_id, device_id, id, hash, prefix)
        values ($1, $2, $3, $4, $5)
        """,
        tenant_id,
        device_id,
        key_id,
        hashed,
        prefix,
    )


async def expire_keys(tx: Transaction, tenant_id: TenantId, device_id: DeviceId, at: datetime) -> None:
    """Every key of the device ends at `at`, or sooner where it was to end sooner."""
    await tx.execute(
        """
        update device_keys set expires_at = least(coalesce(expires_at, 'infinity'), $3)
        where tenant_id = $1 and device_id = $2
        """,
        tenant_id,
        device_id,
        at,
    )


async def select_device(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> Row | None:
    return await tx.fetchrow(
        f"""
        select {COLUMNS}
        from devices d join device_presence p on p.tenant_id = d.tenant_id and p.device_id = d.id
        where d.tenant_id = $1 and d.id = $2
        """,  # noqa: S608
        tenant_id,
        device_id,
    )


async def lock_device(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> int | None:
    """The device's version, its row locked until the transaction ends; None when there is none."""
    return await tx.fetchval(
        "select version from devices where tenant_id = $1 and id = $2 for update", tenant_id, device_id
    )


async def update_tags(
    tx: Transaction,
    tenant_id: TenantId,
    device_ids: Sequence[UUID],
    add: Sequence[str],
    remove: Sequence[str],
) -> None:
    """What stays keeps its order; what is new comes last."""
    await tx.execute(
        """
        update devices set version = version + 1, updated_at = now(),
            tags = array(select had from unnest(tags) had where had <> all ($4::text[]))
                || array(select added from unnest($3::text[]) added where added <> all (tags))
        where tenant_id = $1 and id = any ($2::uuid[])
        """,
        tenant_id,
        list(device_ids),
        list(add),
        list(remove),
    )


async def update_device(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    name: str,
    notes: str,
    tags: Sequence[str],
    project_id: ProjectId | None,
    place: Place,
) -> None:
    """Raises ForeignKeyViolationError when the organization has no such project."""
    await tx.execute(
        """
        update devices set name = $3, notes = $4, tags = $5, project_id = $6, place_name = $7, latitude = $8,
            longitude = $9, version = version + 1, updated_at = now()
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        device_id,
        name,
        notes,
        list(tags),
        project_id,
        place.name,
        place.latitude,
        place.longitude,
    )


async def update_facts(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    hardware: dict[str, object],
    network: dict[str, object],
) -> None:
    await tx.execute(
        """
        update devices set hardware = hardware || $3, network = network || $4, updated_at = now()
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        device_id,
        hardware,
        network,
    )


async def delete_device(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> None:
    await tx.execute("delete from devices where tenant_id = $1 and id = $2", tenant_id, device_id)


async def select_keys_found(
    tx: Transaction, device_ids: Sequence[UUID], hashes: Sequence[bytes]
) -> list[Row]:
    """Which of the pairs are right, as (device_id, tenant_id). Runs before a tenant is known."""
    return await tx.fetch(
        "select device_id, tenant_id from find_device_keys($1::uuid[], $2::bytea[])",
        list(device_ids),
        list(hashes),
    )


async def select_key_found(tx: Transaction, hashed: bytes) -> Row | None:
    """Whose key it is, as (device_id, tenant_id). Runs before a tenant is known."""
    return await tx.fetchrow("select device_id, tenant_id from find_device_key($1)", hashed)
