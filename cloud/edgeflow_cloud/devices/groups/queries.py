"""Every SQL statement on `device_groups` and `device_group_members`."""

from collections.abc import Sequence
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, GroupId, ProjectId, TenantId

COLUMNS = """g.tenant_id, g.id, g.name, g.description, g.kind, g.query, g.project_id, g.version, g.created_at,
    g.updated_at, case when g.kind = 'fixed' then (
        select count(*) from device_group_members m where m.tenant_id = g.tenant_id and m.group_id = g.id
    ) end as device_count"""


async def insert_group(
    tx: Transaction,
    tenant_id: TenantId,
    group_id: GroupId,
    name: str,
    description: str,
    query: str | None,
    project_id: ProjectId | None,
) -> None:
    """Raises UniqueViolationError for a taken name, ForeignKeyViolationError for an unknown project."""
    await tx.execute(
        """
        insert into device_groups (tenant_id, id, name, description, kind, query, project_id)
        values ($1, $2, $3, $4, case when $5::text is null then 'fixed' else 'dynamic' end, $5, $6)
        """,
        tenant_id,
        group_id,
        name,
        description,
        query,
        project_id,
    )


async def update_group(
    tx: Transaction,
    tenant_id: TenantId,
    group_id: GroupId,
    name: str,
    description: str,
    query: str | None,
    project_id: ProjectId | None,
) -> None:
    """Raises as `insert_group`."""
    await tx.execute(
        """
        update device_groups set name = $3, description = $4, query = $5, project_id = $6, version = version + 1,
            updated_at = now()
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        group_id,
        name,
        description,
        query,
        project_id,
    )


async def delete_group(tx: Transaction, tenant_id: TenantId, group_id: GroupId) -> None:
    await tx.execute("delete from device_groups where tenant_id = $1 and id = $2", tenant_id, group_id)


async def lock_group(tx: Transaction, tenant_id: TenantId, group_id: GroupId) -> int | None:
    """Its version, its row locked until the transaction ends; None when there is none."""
    return await tx.fetchval(
        "select version from device_groups where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        group_id,
    )


async def select_group(tx: Transaction, tenant_id: TenantId, group_id: GroupId) -> Row | None:
    return await tx.fetchrow(
        f"select {COLUMNS} from device_groups g where g.tenant_id = $1 and g.id = $2",  # noqa: S608 - constants
        tenant_id,
        group_id,
    )


async def select_groups(
    tx: Transaction,
    tenant_id: TenantId,
    project_id: ProjectId | None,
    after_name: str | None,
    after_id: UUID | None,
    offset: int,
    limit: int,
) -> list[Row]:
    """By name."""
    return await tx.fetch(
        f"""
        select {COLUMNS} from device_groups g
        where g.tenant_id = $1 and ($2::uuid is null or g.project_id = $2)
            and ($3::text is null or (lower(g.name), g.id) > (lower($3), $4::uuid))
        order by lower(g.name), g.id offset $5 limit $6
        """,  # noqa: S608
        tenant_id,
        project_id,
        after_name,
        after_id,
        offset,
        limit,
    )


async def count_groups(tx: Transaction, tenant_id: TenantId, project_id: ProjectId | None) -> int:
    return await tx.fetchval(
        """
        select count(*) from device_groups g
        where g.tenant_id = $1 and ($2::uuid is null or g.project_id = $2)
        """,
        tenant_id,
        project_id,
    )


async def select_groups_called(
    tx: Transaction, tenant_id: TenantId, names: Sequence[str], group_ids: Sequence[GroupId]
) -> list[Row]:
    """(id, name, query) of the groups with these names, in lower case, or ids."""
    return await tx.fetch(
        """
        select g.id, g.name, g.query from device_groups g
        where g.tenant_id = $1 and (lower(g.name) = any ($2::text[]) or g.id = any ($3::uuid[]))
        """,
        tenant_id,
        list(names),
        list(group_ids),
    )


async def select_names(tx: Transaction, tenant_id: TenantId, limit: int) -> list[Row]:
    """(name), in order."""
    return await tx.fetch(
        "select g.name from device_groups g where g.tenant_id = $1 order by lower(g.name) limit $2",
        tenant_id,
        limit,
    )


async def select_dynamic(tx: Transaction, tenant_id: TenantId, limit: int) -> list[Row]:
    """(id, name, query) of the dynamic groups, by name."""
    return await tx.fetch(
        """
        select g.id, g.name, g.query from device_groups g
        where g.tenant_id = $1 and g.kind = 'dynamic' order by lower(g.name) limit $2
        """,
        tenant_id,
        limit,
    )


async def insert_members(
    tx: Transaction, tenant_id: TenantId, group_id: GroupId, device_ids: Sequence[UUID]
) -> list[DeviceId]:
    """Those that were not in it before; ids of no device of the organization are passed over."""
    rows = await tx.fetch(
        """
        insert into device_group_members (tenant_id, group_id, device_id)
        select d.tenant_id, $2, d.id from devices d
        where d.tenant_id = $1 and d.id = any ($3::uuid[]) order by d.id
        on conflict do nothing
        returning device_id
        """,
        tenant_id,
        group_id,
        list(device_ids),
    )
    return [DeviceId(row["device_id"]) for row in rows]


async def delete_members(
    tx: Transaction, tenant_id: TenantId, group_id: GroupId, device_ids: Sequence[UUID]
) -> list[DeviceId]:
    """Those that were in it."""
    rows = await tx.fetch(
        """
        delete from device_group_members
        where tenant_id = $1 and group_id = $2 and device_id = any ($3::uuid[])
        returning device_id
        """,
        tenant_id,
        group_id,
        list(device_ids),
    )
    return [DeviceId(row["device_id"]) for row in rows]
