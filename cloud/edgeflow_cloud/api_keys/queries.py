"""Every SQL statement on `api_keys`."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import ApiKeyId, ProjectId, TenantId


async def insert_key(
    tx: Transaction,
    tenant_id: TenantId,
    key_id: ApiKeyId,
    *,
    name: str,
    hashed: bytes,
    prefix: str,
    scopes: Sequence[str],
    networks: Sequence[str],
    projects: Sequence[ProjectId] | None,
    created_by: str,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    await tx.execute(
        """
        insert into api_keys (tenant_id, id, name, hash, prefix, scopes, created_by, created_at, expires_at, networks,
            projects)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text[]::cidr[], $11::uuid[])
        """,
        tenant_id,
        key_id,
        name,
        hashed,
        prefix,
        list(scopes),
        created_by,
        now,
        expires_at,
        list(networks),
        None if projects is None else list(projects),
    )


async def select_keys(
    tx: Transaction, tenant_id: TenantId, *, after: ApiKeyId | None, offset: int, limit: int
) -> list[Row]:
    """The newest first."""
    return await tx.fetch(
        """
        select tenant_id, id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at,
            networks::text[] as networks, projects
        from api_keys
        where tenant_id = $1 and ($2::uuid is null or id < $2)
        order by id desc
        offset $3 limit $4
        """,
        tenant_id,
        after,
        offset,
        limit,
    )


async def select_names(tx: Transaction, tenant_id: TenantId, key_ids: Sequence[ApiKeyId]) -> list[Row]:
    return await tx.fetch(
        "select id, name from api_keys where tenant_id = $1 and id = any($2::uuid[])",
        tenant_id,
        list(key_ids),
    )


async def count_keys(tx: Transaction, tenant_id: TenantId) -> int:
    return await tx.fetchval("select count(*) from api_keys where tenant_id = $1", tenant_id)


async def delete_key(tx: Transaction, tenant_id: TenantId, key_id: ApiKeyId) -> Row | None:
    return await tx.fetchrow(
        """
        delete from api_keys where tenant_id = $1 and id = $2
        returning tenant_id, id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at,
            networks::text[] as networks, projects
        """,
        tenant_id,
        key_id,
    )


async def key_is_good(tx: Transaction, tenant_id: TenantId, key_id: ApiKeyId, now: datetime) -> bool:
    return (
        await tx.fetchval(
            """
            select true from api_keys
            where tenant_id = $1 and id = $2 and (expires_at is null or expires_at > $3)
            """,
            tenant_id,
            key_id,
            now,
        )
        is True
    )


async def use_key(tx: Transaction, hashed: bytes, now: datetime, address: str | None) -> Row | None:
    """Whose good key it is, and whether it may be used from `address`; runs before a tenant is known."""
    return await tx.fetchrow(
        "select tenant_id, key_id, scopes, closed, allowed, projects from use_limited_key($1, $2, $3::text::inet)",
        hashed,
        now,
        address,
    )
