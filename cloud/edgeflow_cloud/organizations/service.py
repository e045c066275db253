"""Use cases on organizations and their members."""

import dataclasses
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import asyncpg

from edgeflow_cloud import audit, identity, quotas
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.http import require_version
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Invalid, NotFound
from edgeflow_cloud.kernel.ids import SessionId, TenantId, UserId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor
from edgeflow_cloud.kernel.principal import Kind, Principal, Restriction, Role
from edgeflow_cloud.organizations import closing, queries
from edgeflow_cloud.organizations.events import OrganizationUpdated
from edgeflow_cloud.organizations.model import (
    Member,
    Membership,
    Organization,
    State,
    merged,
    permissions_of,
    permissions_while_deleted,
    slug_from,
)


async def create_with_owner(
    tx: Transaction,
    principal: Principal,
    *,
    name: str,
    slug: str | None,
    plan: str,
    now: datetime,
) -> Organization:
    """Make the organization `principal.tenant_id` with `principal.id` as its owner, `org.create`.

    The user must be there already, in this transaction. Without `slug` one is made of the name. Raises
    Conflict (`slug_taken`).
    """
    wanted = slug or slug_from(name)
    added = await queries.insert_organization(tx, principal.tenant_id, name, wanted, now)
    if not added and slug is None:
        wanted = f"{wanted}-{secrets.token_hex(3)}"
        added = await queries.insert_organization(tx, principal.tenant_id, name, wanted, now)
    if not added:
        raise _slug_taken(wanted)
    await quotas.set_plan(tx, principal, plan, now)
    await queries.insert_member(tx, principal.tenant_id, UserId(principal.id), Role.OWNER.value, now)
    await audit.record(
        tx,
        principal,
        "org.create",
        "organization",
        ids.encode(ids.ORGANIZATION, principal.tenant_id),
        new={"name": name, "slug": wanted, "plan": plan},
    )
    return await get_organization(tx, principal.tenant_id, principal.tenant_id)


async def principal_for(
    tx: Transaction,
    *,
    user_id: UserId,
    tenant_id: TenantId,
    session_id: SessionId | None = None,
    ip_address: str | None = None,
    user_agent: str | None = None,
) -> Principal | None:
    """The person as a member of the organization, with role and permissions; None for who is no member.

    `tx` is a `tenant_tx` of that organization. In a deleted organization an owner may still restore it; where
    MFA is required, who has none may only enable it. Raises Closed (`organization_suspended`,
    `organization_deleted`).
    """
    row = await queries.select_standing(tx, tenant_id, user_id)
    if row is None:
        return None
    role = Role(row["role"])
    permissions = permissions_of(role, row["extra_permissions"])
    if row["suspended"]:
        closing.refuse("suspended")
    if row["deleted"]:
        if role is not Role.OWNER:
            closing.refuse("deleted")
        permissions = permissions_while_deleted() | {Restriction.ORGANIZATION_DELETED.value}
    if row["require_mfa"] and not (await identity.get_user(tx, user_id)).mfa_enabled:
        permissions = frozenset({Restriction.MFA_REQUIRED.value})
    return Principal(
        tenant_id=tenant_id,
        kind=Kind.USER,
        id=user_id,
        role=role,
        permissions=permissions,
        session_id=session_id,
        ip_address=ip_address,
        user_agent=user_agent,
    )


async def memberships_of(tx: Transaction, user_id: UserId) -> list[Membership]:
    """A person's organizations: the open ones first, then by the age of the membership; works in any
    transaction.
    """
    rows = await queries.find_organizations_of_user(tx, user_id)
    found = [Membership(organization_of(row, row["plan"]), Role(row["role"])) for row in rows]
    return sorted(found, key=lambda membership: membership.organization.state is not State.ACTIVE)


async def closed_among(tx: Transaction, tenant_ids: Iterable[TenantId]) -> set[TenantId]:
    """Those of the organizations that are suspended or deleted; works in any transaction, also a `lookup`."""
    return {TenantId(row["tenant_id"]) for row in await queries.find_closed(tx, list(tenant_ids))}


async def list_own(tx: Transaction, principal: Principal) -> list[Membership]:
    """The organizations that the caller may enter: a person's own, or the one that a key belongs to."""
    if principal.kind is Kind.USER:
        return await memberships_of(tx, UserId(principal.id))
    organization = await get_organization(tx, principal.tenant_id, principal.tenant_id)
    return [Membership(organization, principal.role or Role.VIEWER)]


async def get_organization(tx: Transaction, own: TenantId, wanted: TenantId) -> Organization:
    """The caller's organization. Raises NotFound for any other, existing or not."""
    row = await queries.select_organization(tx, wanted) if wanted == own else None
    if row is None:
        raise unknown()
    return organization_of(row, await quotas.plan_name(tx, own))


async def usage(
    context: Context, principal: Principal, wanted: TenantId
) -> tuple[quotas.Plan, list[quotas.Usage]]:
    """The plan, and how much of what it counts is used. Raises NotFound."""
    if wanted != principal.tenant_id:
        raise unknown()
    async with context.db.tenant_tx(principal) as tx:
        plan, used = await quotas.usage(tx, principal)
    return plan, [*used, await quotas.calls_today(context, principal, plan)]


async def update_organization(
    tx: Transaction,
    principal: Principal,
    wanted: TenantId,
    changes: Mapping[str, object],
    *,
    if_match: int | None,
    now: datetime,
) -> Organization:
    """Change `name slug settings metadata`, `org.update`. `settings` are merged by key, the others replaced.

    Raises NotFound, Conflict (`version_conflict`, `slug_taken`).
    """
    row = await queries.lock_organization(tx, wanted) if wanted == principal.tenant_id else None
    if row is None:
        raise unknown()
    before = organization_of(row, await quotas.plan_name(tx, wanted))
    require_version(if_match, before.version)
    settings = changes.get("settings")
    whole = dict(changes)
    if isinstance(settings, dict):
        whole["settings"] = merged(before.settings, settings)  # pyright: ignore[reportUnknownArgumentType]
    after = dataclasses.replace(before, **whole)
    if after == before:
        return before
    after = dataclasses.replace(after, version=before.version + 1, updated_at=now)
    try:
        await queries.update_organization(tx, after)
    except asyncpg.UniqueViolationError:
        raise _slug_taken(after.slug) from None
    await audit.record(
        tx,
        principal,
        "org.update",
        "organization",
        ids.encode(ids.ORGANIZATION, wanted),
        old={name: getattr(before, name) for name in whole},
        new=whole,
    )
    await announce(tx, OrganizationUpdated(tenant_id=wanted))
    return after


async def list_members(tx: Transaction, principal: Principal, wanted: TenantId, page: Page) -> Slice[Member]:
    """The organization's members in the order in which they joined. Raises NotFound, Invalid
    (`bad_cursor`).
    """
    if wanted != principal.tenant_id:
        raise unknown()
    rows = await queries.select_members(
        tx,
        wanted,
        after=_position(page.after) if page.after else None,
        offset=0 if page.after else page.offset,
        limit=page.limit + 1,
    )
    shown = rows[: page.limit]
    people = await identity.get_users(tx, [UserId(row["user_id"]) for row in shown])
    last = shown[-1] if len(rows) > page.limit else None
    return Slice(
        items=[member_of(row, people[UserId(row["user_id"])]) for row in shown],
        next_cursor=encode_cursor(last["joined_at"].isoformat(), str(last["user_id"])) if last else None,
        total=await queries.count_members(tx, wanted),
    )


def _position(key: tuple[str, ...]) -> tuple[datetime, UUID]:
    try:
        joined, user_id = datetime.fromisoformat(key[0]), UUID(key[1])
    except ValueError:
        joined, user_id = None, None
    if joined is None or user_id is None or joined.tzinfo is None:
        raise Invalid("This cursor is not one of ours; start again without it.", code="bad_cursor")
    return joined, user_id


def unknown() -> NotFound:
    """The one answer for a missing organization and for one that the session is not in."""
    return NotFound("There is no such organization among yours, or your session is in another one.")


def _slug_taken(slug: str) -> Conflict:
    return Conflict(
        f"Another organization already uses the short name {slug}. Choose another one.",
        code="slug_taken",
        extra={"field": "organization_slug"},
    )


def organization_of(row: Row, plan: str) -> Organization:
    """An organization from its row."""
    return Organization(
        id=TenantId(row["tenant_id"]),
        name=row["name"],
        slug=row["slug"],
        plan=plan,
        settings=row["settings"],
        metadata=row["metadata"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        suspended_at=row["suspended_at"],
        deleted_at=row["deleted_at"],
        purge_after=row["purge_after"],
    )


def member_of(row: Row, user: identity.User) -> Member:
    """A member from its row and the person."""
    return Member(
        user_id=user.id,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        role=Role(row["role"]),
        extra_permissions=list(row["extra_permissions"]),
        mfa_enabled=user.mfa_enabled,
        joined_at=row["joined_at"],
    )
