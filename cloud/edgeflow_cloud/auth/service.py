"""Log in, refresh, log out, profile, password.

Functions that take a Context open their own transactions: a refused log-in or a reused token must be
recorded although the call fails, and hashing happens while no transaction is open.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from edgeflow_cloud import audit, identity, organizations
from edgeflow_cloud.auth import attempts, mails, queries, standing, tokens
from edgeflow_cloud.auth.model import (
    GRACE,
    REFRESH_LIFE,
    EndReason,
    Entry,
    InvalidToken,
    MfaRequired,
    Origin,
    Session,
    SessionEnded,
    claimed,
)
from edgeflow_cloud.identity import Credentials, Factor, User
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import FieldError, Forbidden, Invalid, Unauthenticated
from edgeflow_cloud.kernel.ids import SessionId, TenantId, UserId
from edgeflow_cloud.kernel.principal import Kind, Principal
from edgeflow_cloud.organizations import Membership


async def login(
    context: Context,
    origin: Origin,
    *,
    email: str,
    password: str,
    organization_id: TenantId | None,
    mfa_code: str | None = None,
    mark: str | None = None,
) -> Entry | MfaRequired:
    """Open a session in `organization_id`, or in the organization that the person joined first; `user.login`.

    `mark` is what this browser was given at an earlier log-in. With a second factor and no `mfa_code` the answer is
    MfaRequired, and no session. Raises Unauthenticated (`invalid_credentials`) alike and after the same time for an
    unknown address and a wrong password, Unauthenticated (`invalid_mfa_code`), Forbidden (`not_a_member`), TooMany.
    """
    started = asyncio.get_running_loop().time()
    await attempts.spend_login(context, email, origin.ip_address, mark)
    async with context.db.lookup() as tx:
        credentials = await identity.find_credentials(tx, email)
    stored = credentials.password_hash if credentials else None
    if not await identity.verify_password(password, stored) or credentials is None:
        if credentials is not None:
            await record_failure(context, credentials.user_id, origin, organization_id)
        await attempts.even_out(started)
        raise _invalid_credentials()
    if mfa_code:
        await attempts.spend_code(context, email, origin.ip_address, mark)
    async with context.db.lookup() as tx:
        memberships = await organizations.memberships_of(tx, credentials.user_id)
    tenant_id = choose(memberships, organization_id)
    renewed = await identity.renewed_hash(password, credentials.password_hash)
    try:
        async with context.db.tenant_tx(claimed(tenant_id, credentials.user_id)) as tx:
            # Locked, then read once more: a password that is changed meanwhile must not leave a session behind.
            user = await identity.lock_user(tx, credentials.user_id)
            if await identity.find_credentials_by_id(tx, credentials.user_id) != credentials:
                raise _invalid_credentials()
            if user.mfa_enabled and not mfa_code:
                return MfaRequired()
            factor = await _second_factor(tx, context, user, mfa_code)
            session = new_session(tenant_id, user.id, context.clock.now())
            principal = await member(tx, session, origin)
            await queries.insert_session(tx, session, origin)
            if renewed:
                await identity.keep_hash(tx, user.id, renewed)
            if factor is Factor.RECOVERY_CODE:
                await mails.notify(tx, context, user, mails.RECOVERY_CODE_USED, origin.ip_address)
            await audit.record(
                tx,
                principal,
                "user.login",
                "session",
                ids.encode(ids.SESSION, session.id),
                new={"mfa": factor.value} if factor else None,
            )
    except _WrongCode:
        await record_failure(context, credentials.user_id, origin, organization_id, reason="mfa_code")
        await attempts.even_out(started)
        raise Unauthenticated(
            "This code is not right, or was used before. Wait for the next one, or use a recovery code.",
            code="invalid_mfa_code",
        ) from None
    await attempts.remember_place(context, email, origin.ip_address)
    return entry_of(context, session, principal, user)


class _WrongCode(Exception):
    """The code of the second factor is not good."""


async def _second_factor(tx: Transaction, context: Context, user: User, code: str | None) -> Factor | None:
    """What was shown beside the password; None for an account without. Raises _WrongCode."""
    if not user.mfa_enabled:
        return None
    factor = await identity.take_code(tx, context.secrets, user.id, code or "", context.clock.now())
    if factor is None:
        raise _WrongCode
    return factor


async def refresh(context: Context, origin: Origin, token: str) -> Entry:
    """Exchange a refresh token for its successor. Within ten seconds the old one still gets the same
    successor.

    A token that was replaced earlier than that ends its session (`security.refresh_reused`): somebody has a
    copy. Raises Unauthenticated (`invalid_token`, `token_expired`, `session_ended`, `refresh_reused`).
    """
    now = context.clock.now()
    named = tokens.read_refresh(context.secrets, token, now)
    reused = False
    async with context.db.tenant_tx(claimed(named.tenant_id, named.user_id)) as tx:
        session = await queries.rotate_session(
            tx,
            named.tenant_id,
            named.session_id,
            generation=named.generation,
            expires_at=now + REFRESH_LIFE,
            origin=origin,
            now=now,
        )
        if session is None:
            session = await queries.select_session(tx, named.tenant_id, named.session_id)
            if session is None or session.is_over(now) or named.generation >= session.generation:
                raise SessionEnded
            reused = named.generation < session.generation - 1 or now - session.rotated_at > GRACE
        if session.user_id != named.user_id or not named.belongs_to(session):
            raise InvalidToken  # undoes the transaction: a forged token rotates nothing and ends nothing
        principal = await member(tx, session, origin)
        user = await identity.get_user(tx, session.user_id)
        if reused:
            await queries.end_session(tx, session.tenant_id, session.id, EndReason.TOKEN_REUSED, now)
            wire_id = ids.encode(ids.SESSION, session.id)
            await audit.record(tx, principal, "security.refresh_reused", "session", wire_id, status="failure")
    if reused:
        await standing.forget(context, session.id)
        raise Unauthenticated(
            "This refresh token was already used, so its session was ended for safety. Log in again, and "
            "change your password if you do not know why.",
            code="refresh_reused",
        )
    return entry_of(context, session, principal, user)


async def logout(context: Context, principal: Principal) -> None:
    """End the caller's session, `user.logout`."""
    session_id = person(principal)
    async with context.db.tenant_tx(principal) as tx:
        ended = await queries.end_session(
            tx, principal.tenant_id, session_id, EndReason.LOGOUT, context.clock.now()
        )
        if ended:
            await audit.record(tx, principal, "user.logout", "session", ids.encode(ids.SESSION, session_id))
    await standing.forget(context, session_id)


async def get_profile(tx: Transaction, principal: Principal) -> User:
    """The caller. Raises Forbidden (`people_only`) for programs."""
    person(principal)
    return await identity.get_user(tx, UserId(principal.id))


async def recovery_codes_left(tx: Transaction, user: User) -> int | None:
    """How many recovery codes are unused; None for an account without a second factor."""
    return await identity.recovery_codes_left(tx, user.id) if user.mfa_enabled else None


async def update_profile(
    tx: Transaction,
    principal: Principal,
    changes: Mapping[str, str | None],
    *,
    if_match: int | None,
    now: datetime,
) -> User:
    """Change the caller's names, locale or time zone, `user.update`."""
    person(principal)
    return await identity.update_profile(tx, principal, changes, if_match=if_match, now=now)


async def change_password(context: Context, principal: Principal, *, current: str, new: str) -> int:
    """Replace the caller's password and end all other sessions of the person; says how many those were.

    Raises Invalid (`wrong_password`, `weak_password`, `same_password`), Forbidden (`people_only`), TooMany.
    """
    session_id = person(principal)
    user, credentials = await require_password(context, principal, current, field="current_password")
    identity.check_password(new, email=user.email, field="new_password")
    if new == current:
        said = "The new password is the current one. Choose another one."
        raise Invalid(said, code="same_password", fields=[FieldError("new_password", said)])
    fresh = await identity.hash_password(new)
    async with context.db.tenant_tx(principal) as tx:
        await identity.lock_user(tx, user.id)
        if await identity.find_credentials_by_id(tx, user.id) != credentials:
            raise _wrong_password("current_password")  # changed by another session while we were hashing
        now = context.clock.now()
        await identity.change_password(tx, principal, fresh, now)
        ended = await queries.end_sessions_of_user(tx, user.id, session_id, EndReason.PASSWORD_CHANGED, now)
        await mails.notify(tx, context, user, mails.PASSWORD_CHANGED, principal.ip_address)
    await standing.forget(context, *ended)
    return len(ended)


async def require_password(
    context: Context, principal: Principal, password: str, *, field: str
) -> tuple[User, Credentials]:
    """The person who is logged in shows the password once more. `field` is where a refusal points.

    Raises Invalid (`wrong_password`), Forbidden (`people_only`), TooMany.
    """
    person(principal)
    user_id = UserId(principal.id)
    await attempts.spend_password_check(context, user_id)
    async with context.db.tenant_tx(principal) as tx:
        user = await identity.get_user(tx, user_id)
        credentials = await identity.find_credentials_by_id(tx, user_id)
    if credentials is None or not await identity.verify_password(password, credentials.password_hash):
        origin = Origin(principal.ip_address, principal.user_agent)
        await record_failure(context, user_id, origin, principal.tenant_id)
        raise _wrong_password(field)
    return user, credentials


def entry_of(context: Context, session: Session, principal: Principal, user: User) -> Entry:
    """The two tokens of a session, and whose it is."""
    return Entry(
        access_token=tokens.issue_access(context.secrets, session, context.clock.now()),
        refresh_token=tokens.issue_refresh(context.secrets, session),
        principal=principal,
        user=user,
        session_id=session.id,
    )


def new_session(tenant_id: TenantId, user_id: UserId, now: datetime) -> Session:
    """A session that is not stored yet."""
    return Session(
        tenant_id=tenant_id,
        id=SessionId(ids.new()),
        user_id=user_id,
        seed=secrets.token_bytes(32),
        generation=1,
        rotated_at=now,
        expires_at=now + REFRESH_LIFE,
        ended_at=None,
    )


def choose(memberships: Sequence[Membership], wanted: TenantId | None) -> TenantId:
    """The organization to enter. Raises Forbidden (`not_a_member`)."""
    for membership in memberships:
        if wanted is None or membership.organization.id == wanted:
            return membership.organization.id
    raise _not_a_member(wanted)


async def member(tx: Transaction, session: Session, origin: Origin) -> Principal:
    """Whose session it is, as a member of its organization. Raises Forbidden (`not_a_member`)."""
    principal = await organizations.principal_for(
        tx,
        user_id=session.user_id,
        tenant_id=session.tenant_id,
        session_id=session.id,
        ip_address=origin.ip_address,
        user_agent=origin.user_agent,
    )
    if principal is None:
        raise _not_a_member(session.tenant_id)
    return principal


async def record_failure(
    context: Context,
    user_id: UserId,
    origin: Origin,
    organization_id: TenantId | None,
    *,
    reason: str = "password",
) -> None:
    """`security.login_failed` in the organization that was meant, or else in the first; its own transaction."""
    async with context.db.lookup() as tx:
        memberships = await organizations.memberships_of(tx, user_id)
    known = [membership.organization.id for membership in memberships]
    if not known:
        return
    tenant_id = organization_id if organization_id is not None and organization_id in known else known[0]
    principal = claimed(tenant_id, user_id, origin)
    async with context.db.tenant_tx(principal) as tx:
        await audit.record(
            tx,
            principal,
            "security.login_failed",
            "user",
            principal.wire_id,
            new={"reason": reason},
            status="failure",
        )


def person(principal: Principal) -> SessionId:
    """The session of a person. Raises Forbidden (`people_only`)."""
    if principal.kind is not Kind.USER or principal.session_id is None:
        raise Forbidden(
            "Only a person who is logged in has this; a program's key does not.", code="people_only"
        )
    return principal.session_id


def _invalid_credentials() -> Unauthenticated:
    return Unauthenticated(
        "E-mail address or password is wrong. Check both and try again.", code="invalid_credentials"
    )


def _wrong_password(field: str) -> Invalid:
    said = "This is not your current password."
    return Invalid(said, code="wrong_password", fields=[FieldError(field, said)])


def _not_a_member(wanted: TenantId | None) -> Forbidden:
    if wanted is None:
        said = "You belong to no organization at the moment. Ask an owner or admin for an invitation."
    else:
        said = "You are not a member of that organization. Leave organization_id out to enter your own."
    return Forbidden(said, code="not_a_member")
