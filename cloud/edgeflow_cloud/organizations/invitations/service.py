"""Use cases on invitations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from edgeflow_cloud import audit, identity, quotas
from edgeflow_cloud.identity import NewUser
from edgeflow_cloud.infra import mail
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.infra.settings import Registration
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from edgeflow_cloud.kernel.ids import InvitationId, TenantId, UserId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor, id_after
from edgeflow_cloud.kernel.principal import Kind, Principal, Role
from edgeflow_cloud.organizations import members
from edgeflow_cloud.organizations.events import MembersChanged
from edgeflow_cloud.organizations.invitations import queries
from edgeflow_cloud.organizations.invitations.model import (
    LIFE,
    Invitation,
    hash_token,
    make_token,
    no_such_invitation,
    not_good,
)
from edgeflow_cloud.organizations.service import get_organization, unknown

_LETTER: Final = mail.Letter("organizations.invitation", Path(__file__).parent / "letters")
_MEANING: Final = {
    Role.OWNER: "you may do everything, also hand it over or delete it.",
    Role.ADMIN: "you may do everything but hand it over, delete it or change its plan.",
    Role.MEMBER: "you see everything, and may add and change devices and flows.",
    Role.VIEWER: "you see everything and change nothing.",
}
"""What each role means, for somebody who has never seen the product."""
_SENT: Final = Limit("invitations", 100, 86_400)
"""Mails a day that one organization may cause."""
_TRIED: Final = Limit("invitation-tokens", 30, 60)
"""Tokens that one address may try in a minute."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the page behind the link shows before anybody accepts."""

    organization_name: str
    email: str
    has_account: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    """Who joined what; `registered` says that the account is new."""

    organization_id: TenantId
    organization_name: str
    user_id: UserId
    email: str
    role: Role
    registered: bool


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody without an account says of themselves. The terms are accepted."""

    first_name: str
    last_name: str
    password: str


async def invite(
    tx: Transaction,
    context: Context,
    principal: Principal,
    wanted: TenantId,
    *,
    email: str,
    role: Role,
    extra_permissions: Sequence[str],
    life: timedelta = LIFE,
) -> Invitation:
    """Write to `email`, `org.member_invite`. A second invitation to an address replaces the first.

    Raises NotFound, Forbidden (naming the permission; `email_not_verified`), Conflict (`already_member`),
    Invalid (`invalid_email`), QuotaExceeded, TooMany.
    """
    if wanted != principal.tenant_id:
        raise unknown()
    now, address = context.clock.now(), identity.clean_email(email)
    members.require_grantable(principal, role, extra_permissions)
    await _require_verified(tx, principal)
    known = await identity.find_credentials(tx, address)
    if known is not None and await members.is_member(tx, wanted, known.user_id):
        raise Conflict(f"{address} already belongs to this organization.", code="already_member")
    # Open invitations count here, so that nobody is asked to come where there is no place.
    waiting = await queries.count_open(tx, wanted, now, but=address)
    await quotas.reserve(tx, principal, quotas.Resource.MEMBERS, count=1 + waiting)
    said = "This organization has sent many invitations today. Go on tomorrow."
    (await context.limits.take(_SENT, wanted.hex)).check(said)
    token = make_token()
    row = await queries.put_invitation(
        tx,
        wanted,
        InvitationId(ids.new()),
        email=address,
        role=role.value,
        extra_permissions=sorted(set(extra_permissions)),
        token_hash=hash_token(token),
        created_by=principal.wire_id,
        expires_at=now + life,
        now=now,
    )
    made = _invitation(row)
    await mail.send(
        tx,
        context,
        _LETTER,
        address,
        {
            "organization": (await get_organization(tx, wanted, wanted)).name,
            "inviter": await _name_of(tx, principal),
            "site": urlsplit(context.settings.public_url).netloc,
            "role": role.value,
            "meaning": _MEANING[role],
            "url": f"{context.settings.public_url}/accept-invitation#token={token}",
            "until": f"{made.expires_at.day} {made.expires_at:%B %Y, %H:%M} UTC",
        },
        good_for=life,
    )
    await audit.record(tx, principal, "org.member_invite", "invitation", _wire(made.id), new=_written(made))
    await announce(tx, MembersChanged(tenant_id=wanted))
    return made


async def list_invitations(
    tx: Transaction, principal: Principal, wanted: TenantId, page: Page, now: datetime
) -> Slice[Invitation]:
    """Those that are still good, the newest first. Raises NotFound."""
    if wanted != principal.tenant_id:
        raise unknown()
    rows = await queries.select_invitations(
        tx,
        wanted,
        now=now,
        after=InvitationId(id_after(page, ids.INVITATION)) if page.after else None,
        offset=0 if page.after else page.offset,
        limit=page.limit + 1,
    )
    found = [_invitation(row) for row in rows[: page.limit]]
    return Slice(
        found,
        encode_cursor(_wire(found[-1].id)) if len(rows) > page.limit else None,
        None if page.after else await queries.count_open(tx, wanted, now),
    )


async def withdraw(
    tx: Transaction, principal: Principal, wanted: TenantId, invitation_id: InvitationId
) -> None:
    """Take an invitation back, `org.member_uninvite`: its link is dead. Raises NotFound."""
    if wanted != principal.tenant_id:
        raise unknown()
    row = await queries.delete_invitation(tx, wanted, invitation_id)
    if row is None:
        raise no_such_invitation()
    await audit.record(
        tx,
        principal,
        "org.member_uninvite",
        "invitation",
        _wire(invitation_id),
        old=_written(_invitation(row)),
    )
    await announce(tx, MembersChanged(tenant_id=wanted))


async def preview(context: Context, token: str, address: str | None) -> Preview:
    """What a link leads to; it stays good. Raises NotFound (`invitation_not_good`), TooMany."""
    await _spend(context, address)
    async with context.db.lookup() as tx:
        row = await queries.find_invitation(tx, hash_token(token), context.clock.now())
        if row is None:
            raise not_good()
        known = await identity.find_credentials(tx, row["email"])
    return Preview(row["organization_name"], row["email"], known is not None)


async def accept(
    context: Context,
    token: str,
    newcomer: Newcomer | None,
    *,
    ip_address: str | None,
    user_agent: str | None,
) -> Arrived:
    """Use an invitation: the account of its address joins, or is made first from `newcomer`.

    The token came by mail to that address, so it proves it. Raises NotFound (`invitation_not_good`), Invalid
    (`account_needed`, `weak_password`), Forbidden (`registration_closed`), QuotaExceeded, TooMany.
    """
    await _spend(context, ip_address)
    hashed, now = hash_token(token), context.clock.now()
    async with context.db.lookup() as tx:
        found = await queries.find_invitation(tx, hashed, now)
        known = await identity.find_credentials(tx, found["email"]) if found else None
    if found is None:
        raise not_good()
    new = await _new_user(context, found["email"], newcomer) if known is None else None
    user_id = new.id if new is not None else known.user_id if known is not None else UserId(ids.new())
    principal = Principal(
        tenant_id=TenantId(found["tenant_id"]),
        kind=Kind.USER,
        id=user_id,
        ip_address=ip_address,
        user_agent=user_agent,
    )
    async with context.db.tenant_tx(principal) as tx:
        row = await queries.take_invitation(tx, principal.tenant_id, hashed, now)
        if row is None:
            raise not_good()
        if new is not None:
            await identity.add_user(tx, principal, new, now)
        await members.join(tx, principal, Role(row["role"]), row["extra_permissions"], now)
        if new is None and not (await identity.get_user(tx, user_id)).email_verified:
            # Somebody may have registered this address before its owner did: they must not come in by a click of hers.
            raise Forbidden(
                "Prove the account's e-mail address first (the link in its verification mail), then use the "
                "invitation again; it is still good.",
                code="email_not_verified",
            )
        organization = await get_organization(tx, principal.tenant_id, principal.tenant_id)
        member = await members.get_member(tx, principal.tenant_id, user_id)
    return Arrived(
        organization.id, organization.name, user_id, member.email, member.role, registered=new is not None
    )


async def _new_user(context: Context, email: str, newcomer: Newcomer | None) -> NewUser:
    if context.settings.registration is Registration.CLOSED:
        raise Forbidden(
            "This instance takes no new accounts. Ask its operator for one, then use the invitation.",
            code="registration_closed",
        )
    if newcomer is None:
        said = "There is no account with this address yet: give a name and a password to make one."
        raise Invalid(
            said,
            code="account_needed",
            fields=[
                FieldError(name, said) for name in ("first_name", "last_name", "password", "accept_terms")
            ],
        )
    identity.check_password(newcomer.password, email=email)
    return NewUser(
        id=UserId(ids.new()),
        email=email,
        first_name=newcomer.first_name,
        last_name=newcomer.last_name,
        password_hash=await identity.hash_password(newcomer.password),
        accepted_terms=True,
        email_verified=True,
    )


async def _require_verified(tx: Transaction, principal: Principal) -> None:
    if principal.kind is not Kind.USER:
        return
    if not (await identity.get_user(tx, UserId(principal.id))).email_verified:
        raise Forbidden(
            "Verify your own e-mail address first; the link is in the mail that you were sent.",
            code="email_not_verified",
        )


async def _name_of(tx: Transaction, principal: Principal) -> str:
    if principal.kind is not Kind.USER:
        return "An administrator"
    user = await identity.get_user(tx, UserId(principal.id))
    return f"{user.first_name} {user.last_name}".strip() or user.email


async def _spend(context: Context, address: str | None) -> None:
    said = "Too many invitations were tried from this address. Wait a minute, then try again."
    (await context.limits.take(_TRIED, address or "unknown")).check(said)


def _invitation(row: Row) -> Invitation:
    fields = dict(row)
    fields["role"] = Role(fields["role"])
    fields["extra_permissions"] = tuple(fields["extra_permissions"])
    return Invitation(**fields)


def _written(invitation: Invitation) -> dict[str, object]:
    return {
        "email": invitation.email,
        "role": invitation.role.value,
        "extra_permissions": list(invitation.extra_permissions),
        "expires_at": invitation.expires_at.isoformat(),
    }


def _wire(invitation_id: InvitationId) -> str:
    return ids.encode(ids.INVITATION, invitation_id)
