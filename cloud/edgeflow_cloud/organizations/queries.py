"""Every SQL statement on `organizations` and `members`; closing and purging are in `lifecycle`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import TenantId, UserId
from edgeflow_cloud.organizations.model import Organization


async def insert_organization(
    tx: Transaction, tenant_id: TenantId, name: str, slug: str, now: datetime
) -> bool:
    """False when the slug is taken."""
    return (
        await tx.fetchval(
            """
            insert into organizations (tenant_id, name, slug, created_at, updated_at)
            values ($1, $2, $3, $4, $4)
            on conflict do nothing
            returning true
            """,
            tenant_id,
            name,
            slug,
            now,
        )
        is True
    )


async def insert_member(
    tx: Transaction,
    tenant_id: TenantId,
    user_id: UserId,
    role: str,
    now: datetime,
    extra_permissions: Sequence[str] = (),
) -> bool:
    """False when the person is a member already; nothing is changed then."""
    return (
        await tx.fetchval(
            """
            insert into members (tenant_id, user_id, role, joined_at, extra_permissions)
            values ($1, $2, $3, $4, $5)
            on conflict (tenant_id, user_id) do nothing
            returning true
            """,
            tenant_id,
            user_id,
            role,
            now,
            list(extra_permissions),
        )
        is True
    )


async def select_standing(tx: Transaction, tenant_id: TenantId, user_id: UserId) -> Row | None:
    """A membership, and what its organization asks of everybody."""
    return await tx.fetchrow(
        """
        select m.role, m.extra_permissions, o.suspended_at is not null as suspended,
            o.deleted_at is not null as deleted,
            coalesce(o.settings -> 'require_mfa' = 'true'::jsonb, false) as require_mfa
        from members m join organizations o on o.tenant_id = m.tenant_id
        where m.tenant_id = $1 and m.user_id = $2
        """,
        tenant_id,
        user_id,
    )


async def update_member(
    tx: Transaction, tenant_id: TenantId, user_id: UserId, role: str, extra_permissions: Sequence[str]
) -> None:
    await tx.execute(
        "update members set role = $3, extra_permissions = $4 where tenant_id = $1 and user_id = $2",
        tenant_id,
        user_id,
        role,
        list(extra_permissions),
    )


async def delete_member(tx: Transaction, tenant_id: TenantId, user_id: UserId) -> None:
    """The person's sessions in the organization go with it."""
    await tx.execute("delete from members where tenant_id = $1 and user_id = $2", tenant_id, user_id)


async def count_owners(tx: Transaction, tenant_id: TenantId) -> int:
    return await tx.fetchval(
        "select count(*) from members where tenant_id = $1 and role = 'owner'", tenant_id
    )


async def find_closed(tx: Transaction, tenant_ids: Sequence[TenantId]) -> list[Row]:
    """Those of the organizations that let nobody in; runs before a tenant is known."""
    return await tx.fetch("select tenant_id from find_closed_organizations($1::uuid[])", list(tenant_ids))


async def select_organization(tx: Transaction, tenant_id: TenantId) -> Row | None:
    return await tx.fetchrow(
        """
        select tenant_id, name, slug, settings, metadata, version, created_at, updated_at,
            suspended_at, deleted_at, purge_after
        from organizations where tenant_id = $1
        """,
        tenant_id,
    )


async def lock_organization(tx: Transaction, tenant_id: TenantId) -> Row | None:
    """The same, locked until the transaction ends."""
    return await tx.fetchrow(
        """
        select tenant_id, name, slug, settings, metadata, version, created_at, updated_at,
            suspended_at, deleted_at, purge_after
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
        select tenant_id, role, name, slug, plan, settings, metadata, version, created_at, updated_at,
            suspended_at, deleted_at, purge_after
        from find_organizations_of_user($1)
        """,
        user_id,
    )


async def select_membership(tx: Transaction, tenant_id: TenantId, user_id: UserId) -> Row | None:
    return await tx.fetchrow(
        "select user_id, role, extra_permissions, joined_at from members where tenant_id = $1 and user_id = $2",
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
