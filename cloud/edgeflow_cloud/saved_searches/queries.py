"""Every SQL statement on `saved_searches`."""

from collections.abc import Sequence
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import SavedSearchId, TenantId


async def insert_search(
    tx: Transaction,
    tenant_id: TenantId,
    search_id: SavedSearchId,
    name: str,
    q: str,
    sort: str | None,
    columns: Sequence[str],
    shared: bool,
    created_by: str,
) -> None:
    """Raises UniqueViolationError when the same person has one of this name."""
    await tx.execute(
        """
        insert into saved_searches (tenant_id, id, name, q, sort, columns, shared, created_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        tenant_id,
        search_id,
        name,
        q,
        sort,
        list(columns),
        shared,
        created_by,
    )


async def update_search(
    tx: Transaction,
    tenant_id: TenantId,
    search_id: SavedSearchId,
    name: str,
    q: str,
    sort: str | None,
    columns: Sequence[str],
    shared: bool,
) -> None:
    """Raises as `insert_search`."""
    await tx.execute(
        """
        update saved_searches set name = $3, q = $4, sort = $5, columns = $6, shared = $7, version = version + 1
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        search_id,
        name,
        q,
        sort,
        list(columns),
        shared,
    )


async def delete_search(tx: Transaction, tenant_id: TenantId, search_id: SavedSearchId) -> None:
    await tx.execute("delete from saved_searches where tenant_id = $1 and id = $2", tenant_id, search_id)


async def select_search(
    tx: Transaction, tenant_id: TenantId, search_id: SavedSearchId, reader: str
) -> Row | None:
    """One of the reader's own or a shared one, locked until the transaction ends."""
    return await tx.fetchrow(
        """
        select id, name, q, sort, columns, shared, created_by, version, created_at from saved_searches
        where tenant_id = $1 and id = $2 and (shared or created_by = $3)
        for no key update
        """,
        tenant_id,
        search_id,
        reader,
    )


async def select_searches(
    tx: Transaction,
    tenant_id: TenantId,
    reader: str,
    after_name: str | None,
    after_id: UUID | None,
    offset: int,
    limit: int,
) -> list[Row]:
    """The reader's own and the shared ones, by name."""
    return await tx.fetch(
        """
        select id, name, q, sort, columns, shared, created_by, version, created_at from saved_searches
        where tenant_id = $1 and (shared or created_by = $2)
            and ($3::text is null or (lower(name), id) > (lower($3), $4::uuid))
        order by lower(name), id offset $5 limit $6
        """,
        tenant_id,
        reader,
        after_name,
        after_id,
        offset,
        limit,
    )


async def count_searches(tx: Transaction, tenant_id: TenantId, reader: str) -> int:
    return await tx.fetchval(
        "select count(*) from saved_searches where tenant_id = $1 and created_by = $2", tenant_id, reader
    )
