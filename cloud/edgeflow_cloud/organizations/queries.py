"""Every SQL statement on `organizations` and `members`."""

from datetime import datetime
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import TenantId, UserId
from edgeflow_cloud.organizations.model import Organization


async def insert_organization(
    tx: Transaction, tenant_id: TenantId, name: str, slug: str, plan: str, now: datetime
) -> bool:
    """False when the slug is taken."""
    return (
        await tx.fetchval(
            """
            insert into organizations (tenant_id, name, slug, plan, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $5)
            on conflict do nothing
            returning true
            """,
            tenant_id,
            name,
            slug,
            plan,
            now,
        )
        is True
    )


async def insert_member(
    tx: Transaction, tenant_id: TenantId, user_id: UserId, role: str, now: datetime
) -> None:
    await tx.execute(
        "insert into members (tenant_id, user_id, role, joined_at) values ($1, $2, $3, $4)",
        tenant_id,
        user_id,
        role,
        now,
    )


async def select_organization(tx: Transaction, tenant_id: TenantId) -> Row | None:
    return await tx.fetchrow(
        """
        select tenant_id, name, slug, plan, settings, metadata, version, created_at, updated_at
        from organizations where tenant_id = $1
        """,
        tenant_id,
    )


async def lock_organization(tx: Transaction, tenant_id: TenantId) -> Row | None:
    """The same, locked until the transaction ends."""
    return await tx.fetchrow(
        """
        select tenant_id, name, slug, plan, settings, metadata, version, created_at, updated_at
        from organizations where tenant_id = $1 for no key update
        """,
        tenant_id,
    )


async def update_organization(tx: Transaction, organization: Organization) -> None:
    """Raises UniqueViolationError when the slug is another's."""
    await tx.execute(
        """
        update organizations set name = $2, slug = $3, settings = $4, metadata = $5,
            version = $6, updated_at = $7
        where tenant_id = $1
        """,
        organization.id,
        organization.name,
        organization.slug,
        organization.settings,
        organization.metadata,
        organization.version,
        organization.updated_at,
    )


async def find_organizations_of_user(tx: Transaction, user_id: UserId) -> list[Row]:
    """All organizations of one person, the oldest membership first; past row-level security."""
    return await tx.fetch(
        """
        select tenant_id, role, name, slug, plan, settings, metadata, version, created_at, updated_at
        from find_organizations_of_user($1)
        """,
        user_id,
    )


async def select_membership(tx: Transaction, tenant_id: TenantId, user_id: UserId) -> Row | None:
    return await tx.fetchrow(
        "select role, extra_permissions from members where tenant_id = $1 and user_id = $2",
        tenant_id,
        user_id,
    )


async def count_members(tx: Transaction, tenant_id: TenantId) -> int:
    return int(await tx.fetchval("select count(*) from members where tenant_id = $1", tenant_id))


async def select_members(
    tx: Transaction,
    tenant_id: TenantId,
    *,
    after: tuple[datetime, UUID] | None,
    offset: int,
    limit: int,
) -> list[Row]:
    """In the order in which they joined."""
    joined, user_id = after or (None, None)
    return await tx.fetch(
        """
        select user_id, role, extra_permissions, joined_at
        from members
        where tenant_id = $1 and ($2::timestamptz is null or (joined_at, user_id) > ($2, $3::uuid))
        order by joined_at, user_id
        offset $4 limit $5
        """,
        tenant_id,
        joined,
        user_id,
        offset,
        limit,
    )
