"""Use cases on members: another role, removal, leaving, handing the organization over.

Whoever changes members locks the organization first, so that two owners cannot remove each other at once.
A change has effect within two seconds: sessions are looked up anew, and a removed member's are gone.
"""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud import audit, identity, quotas
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Forbidden, NotFound
from edgeflow_cloud.kernel.ids import TenantId, UserId
from edgeflow_cloud.kernel.principal import Kind, Principal, Role
from edgeflow_cloud.organizations import queries
from edgeflow_cloud.organizations.events import MembersChanged
from edgeflow_cloud.organizations.model import EXTRA, Member, permissions_of
from edgeflow_cloud.organizations.service import member_of, unknown

_MOST = 100_000  # members


def require_grantable(principal: Principal, role: Role, extra: Sequence[str]) -> None:
    """Nobody gives more than they have. Raises Forbidden that names the missing permission."""
    for permission in sorted(permissions_of(role, extra)):
        if not principal.may(permission):
            raise Forbidden(
                f"The role {role.value} with these extra permissions brings {permission}, which you do not have "
                "yourself. Ask an owner of the organization.",
                extra={"permission": permission},
            )


async def change_member(
    tx: Transaction,
    principal: Principal,
    wanted: TenantId,
    user_id: UserId,
    *,
    role: Role,
    extra_permissions: Sequence[str],
) -> Member:
    """Give a member another role and extra permissions, `org.member_role_change`.

    Raises NotFound (`member_not_found`), Forbidden (naming the permission), Conflict (`last_owner`).
    """
    row = await _lock_member(tx, principal, wanted, user_id)
    before, given = Role(row["role"]), _tidy(extra_permissions)
    _require_rank(principal, before, row["extra_permissions"])
    require_grantable(principal, role, given)
    if before is Role.OWNER and role is not Role.OWNER:
        await _require_another_owner(tx, wanted)
    if (before, list(row["extra_permissions"])) != (role, given):
        await queries.update_member(tx, wanted, user_id, role.value, given)
        await audit.record(
            tx,
            principal,
            "org.member_role_change",
            "user",
            ids.encode(ids.USER, user_id),
            old={"role": before.value, "extra_permissions": list(row["extra_permissions"])},
            new={"role": role.value, "extra_permissions": given},
        )
        await announce(tx, MembersChanged(tenant_id=wanted))
    return await get_member(tx, wanted, user_id)


async def remove_member(tx: Transaction, principal: Principal, wanted: TenantId, user_id: UserId) -> None:
    """Remove a member and their sessions here, `org.member_remove`. Raises NotFound (`member_not_found`),
    Forbidden, Conflict (`last_owner`).
    """
    row = await _lock_member(tx, principal, wanted, user_id)
    _require_rank(principal, Role(row["role"]), row["extra_permissions"])
    await _remove(tx, principal, wanted, row)


async def leave(tx: Transaction, principal: Principal, wanted: TenantId) -> None:
    """Remove oneself. Raises NotFound, Forbidden (`people_only`), Conflict (`last_owner`)."""
    if principal.kind is not Kind.USER:
        raise Forbidden(
            "Only a person can leave an organization; revoke the key instead.", code="people_only"
        )
    await _remove(tx, principal, wanted, await _lock_member(tx, principal, wanted, UserId(principal.id)))


async def transfer_ownership(
    tx: Transaction, principal: Principal, wanted: TenantId, user_id: UserId
) -> Member:
    """Make another member the owner and oneself an admin, in one step, two `org.member_role_change`.

    Raises NotFound (`member_not_found`), Conflict (`already_owner`).
    """
    row = await _lock_member(tx, principal, wanted, user_id)
    if row["role"] == Role.OWNER.value or user_id == principal.id:
        raise Conflict("This person already is an owner.", code="already_owner")
    own = await queries.select_membership(tx, wanted, UserId(principal.id))
    for whose, before, after in (
        (user_id, row["role"], Role.OWNER),
        (principal.id, Role.OWNER.value, Role.ADMIN),
    ):
        if whose == principal.id and own is None:
            continue
        await queries.update_member(tx, wanted, UserId(whose), after.value, [])
        await audit.record(
            tx,
            principal,
            "org.member_role_change",
            "user",
            ids.encode(ids.USER, whose),
            old={"role": before},
            new={"role": after.value, "transfer": True},
        )
    await announce(tx, MembersChanged(tenant_id=wanted))
    return await get_member(tx, wanted, user_id)


async def join(
    tx: Transaction, principal: Principal, role: Role, extra_permissions: Sequence[str], now: datetime
) -> bool:
    """Make `principal.id` a member of `principal.tenant_id`, `org.member_join`; False for one who is already.

    Raises QuotaExceeded.
    """
    if await queries.select_membership(tx, principal.tenant_id, UserId(principal.id)) is not None:
        return False
    await quotas.reserve(tx, principal, quotas.Resource.MEMBERS)
    given = _tidy(extra_permissions)
    if not await queries.insert_member(tx, principal.tenant_id, UserId(principal.id), role.value, now, given):
        return False
    await audit.record(
        tx,
        principal,
        "org.member_join",
        "user",
        principal.wire_id,
        new={"role": role.value, "extra_permissions": given},
    )
    await announce(tx, MembersChanged(tenant_id=principal.tenant_id))
    return True


async def people_of(tx: Transaction, tenant_id: TenantId) -> list[identity.User]:
    """All members of the transaction's organization, as people, in the order in which they joined."""
    rows = await queries.select_members(tx, tenant_id, after=None, offset=0, limit=_MOST)
    people = await identity.get_users(tx, [UserId(row["user_id"]) for row in rows])
    return list(people.values())


async def is_member(tx: Transaction, tenant_id: TenantId, user_id: UserId) -> bool:
    """Whether the person belongs to the transaction's organization."""
    return await queries.select_membership(tx, tenant_id, user_id) is not None


async def get_member(tx: Transaction, tenant_id: TenantId, user_id: UserId) -> Member:
    """One member. Raises NotFound (`member_not_found`)."""
    row = await queries.select_membership(tx, tenant_id, user_id)
    if row is None:
        raise _no_such_member()
    return member_of(row, await identity.get_user(tx, user_id))


async def _lock_member(tx: Transaction, principal: Principal, wanted: TenantId, user_id: UserId) -> Row:
    """The membership, with the organization locked until the transaction ends."""
    if wanted != principal.tenant_id or await queries.lock_organization(tx, wanted) is None:
        raise unknown()
    row = await queries.select_membership(tx, wanted, user_id)
    if row is None:
        raise _no_such_member()
    return row


def _require_rank(principal: Principal, role: Role, extra: Sequence[str]) -> None:
    """Nobody changes or removes somebody who may do more than themselves. Raises Forbidden."""
    for permission in sorted(permissions_of(role, extra)):
        if not principal.may(permission):
            raise Forbidden(
                f"This person is {role.value} and may do more than you ({permission}). Ask an owner.",
                extra={"permission": permission},
            )


async def _remove(tx: Transaction, principal: Principal, wanted: TenantId, row: Row) -> None:
    if row["role"] == Role.OWNER.value:
        await _require_another_owner(tx, wanted)
    await queries.delete_member(tx, wanted, row["user_id"])
    await audit.record(
        tx,
        principal,
        "org.member_remove",
        "user",
        ids.encode(ids.USER, row["user_id"]),
        old={"role": row["role"], "extra_permissions": list(row["extra_permissions"])},
    )
    await announce(tx, MembersChanged(tenant_id=wanted))


async def _require_another_owner(tx: Transaction, wanted: TenantId) -> None:
    if await queries.count_owners(tx, wanted) < 2:
        raise Conflict(
            "This is the last owner. Make somebody else an owner first, or delete the organization.",
            code="last_owner",
        )


def _tidy(extra: Sequence[str]) -> list[str]:
    return sorted(EXTRA & set(extra))


def _no_such_member() -> NotFound:
    return NotFound("There is no such person in this organization.", code="member_not_found")
