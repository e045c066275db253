"""Every SQL statement on `projects`."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import ProjectId, TenantId


async def insert_project(
    tx: Transaction, tenant_id: TenantId, project_id: ProjectId, name: str, description: str, now: datetime
) -> Row | None:
    """None when the name is taken."""
    return await tx.fetchrow(
        """
        insert into projects (tenant_id, id, name, description, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $5)
        on conflict (tenant_id, lower(name)) do nothing
        returning tenant_id, id, name, description, version, created_at, updated_at
        """,
        tenant_id,
        project_id,
        name,
        description,
        now,
    )


async def select_project(tx: Transaction, tenant_id: TenantId, project_id: ProjectId) -> Row | None:
    return await tx.fetchrow(
        """
        select tenant_id, id, name, description, version, created_at, updated_at
        from projects where tenant_id = $1 and id = $2
        """,
        tenant_id,
        project_id,
    )


async def lock_project(tx: Transaction, tenant_id: TenantId, project_id: ProjectId) -> Row | None:
    """The same, locked until the transaction ends."""
    return await tx.fetchrow(
        """
        select tenant_id, id, name, description, version, created_at, updated_at
        from projects where tenant_id = $1 and id = $2 for no key update
        """,
        tenant_id,
        project_id,
    )


async def select_projects(
    tx: Transaction,
    tenant_id: TenantId,
    *,
    after_name: str | None,
    after_id: ProjectId | None,
    offset: int,
    limit: int,
) -> list[Row]:
    """By name."""
    return await tx.fetch(
        """
        select tenant_id, id, name, description, version, created_at, updated_at
        from projects
        where tenant_id = $1 and ($2::text is null or (lower(name), id) > (lower($2), $3::uuid))
        order by lower(name), id
        offset $4 limit $5
        """,
        tenant_id,
        after_name,
        after_id,
        offset,
        limit,
    )


async def select_projects_called(
    tx: Transaction, tenant_id: TenantId, names: Sequence[str], project_ids: Sequence[ProjectId]
) -> list[Row]:
    """(id, name) of those with these names, in lower case, or ids."""
    return await tx.fetch(
        """
        select id, name from projects
        where tenant_id = $1 and (lower(name) = any ($2::text[]) or id = any ($3::uuid[]))
        """,
        tenant_id,
        list(names),
        list(project_ids),
    )


async def count_projects(tx: Transaction, tenant_id: TenantId) -> int:
    return await tx.fetchval("select count(*) from projects where tenant_id = $1", tenant_id)


async def update_project(
    tx: Transaction, tenant_id: TenantId, project_id: ProjectId, name: str, description: str, now: datetime
) -> Row | None:
    """Raises UniqueViolationError when the name is another's."""
    return await tx.fetchrow(
        """
        update projects set name = $3, description = $4, version = version + 1, updated_at = $5
        where tenant_id = $1 and id = $2
        returning tenant_id, id, name, description, version, created_at, updated_at
        """,
        tenant_id,
        project_id,
        name,
        description,
        now,
    )


async def delete_project(tx: Transaction, tenant_id: TenantId, project_id: ProjectId) -> Row | None:
    """Its devices stay, in no project."""
    return await tx.fetchrow(
        """
        delete from projects where tenant_id = $1 and id = $2
        returning tenant_id, id, name, description, version, created_at, updated_at
        """,
        tenant_id,
        project_id,
    )
