"""A person's own sessions: list them, end them, enter another organization."""

from datetime import datetime

from edgeflow_cloud import audit, identity, organizations
from edgeflow_cloud.auth import queries, standing
from edgeflow_cloud.auth.model import EndReason, Entry, LivingSession, Origin, SessionEnded, claimed
from edgeflow_cloud.auth.service import choose, entry_of, member, new_session, person
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import SessionId, TenantId, UserId
from edgeflow_cloud.kernel.principal import Principal


async def list_sessions(tx: Transaction, principal: Principal, now: datetime) -> list[LivingSession]:
    """The caller's living sessions in every organization, the last seen first. Raises Forbidden (`people_only`)."""
    current = person(principal)
    rows = await queries.find_sessions_of_user(tx, UserId(principal.id), now)
    return [_living(row, current) for row in rows]


async def end_session(context: Context, principal: Principal, session_id: SessionId) -> None:
    """End one of the caller's sessions, `user.session_revoke`. Raises NotFound for any other, living or not."""
    person(principal)
    async with context.db.tenant_tx(principal) as tx:
        ended = await queries.end_session_of_user(
            tx, UserId(principal.id), session_id, EndReason.REVOKED, context.clock.now()
        )
        if not ended:
            raise NotFound("You have no such session. It may have ended already.")
        wire_id = ids.encode(ids.SESSION, session_id)
        await audit.record(tx, principal, "user.session_revoke", "session", wire_id)
    await standing.forget(context, session_id)


async def end_other_sessions(context: Context, principal: Principal) -> int:
    """End all of the caller's sessions but this one, `user.session_revoke`; says how many those were."""
    current = person(principal)
    async with context.db.tenant_tx(principal) as tx:
        await identity.lock_user(tx, UserId(principal.id))
        ended = await queries.end_sessions_of_user(
            tx, UserId(principal.id), current, EndReason.REVOKED, context.clock.now()
        )
        if ended:
            await audit.record(
                tx,
                principal,
                "user.session_revoke",
                "user",
                principal.wire_id,
                new={"sessions": [ids.encode(ids.SESSION, item) for item in ended]},
            )
    await standing.forget(context, *ended)
    return len(ended)


async def switch_organization(context: Context, principal: Principal, organization_id: TenantId) -> Entry:
    """A session in another of the caller's organizations, `user.login` there; the present one stays as it is.

    Raises Forbidden (`not_a_member`, `people_only`).
    """
    current = person(principal)
    user_id = UserId(principal.id)
    async with context.db.lookup() as tx:
        tenant_id = choose(await organizations.memberships_of(tx, user_id), organization_id)
    origin = Origin(principal.ip_address, principal.user_agent)
    async with context.db.tenant_tx(claimed(tenant_id, user_id, origin)) as tx:
        user = await identity.lock_user(tx, user_id)
        living = await queries.find_sessions_of_user(tx, user_id, context.clock.now())
        if current not in {row["session_id"] for row in living}:
            raise SessionEnded  # while we waited: a dead session must not bear a new one
        session = new_session(tenant_id, user_id, context.clock.now())
        entered = await member(tx, session, origin)
        await queries.insert_session(tx, session, origin)
        await audit.record(
            tx,
            entered,
            "user.login",
            "session",
            ids.encode(ids.SESSION, session.id),
            new={"from_session": ids.encode(ids.SESSION, current)},
        )
    return entry_of(context, session, entered, user)


def _living(row: Row, current: SessionId) -> LivingSession:
    return LivingSession(
        session_id=SessionId(row["session_id"]),
        current=row["session_id"] == current,
        organization_id=TenantId(row["tenant_id"]),
        organization_name=row["organization_name"],
        ip_address=row["ip_address"],
        user_agent=row["user_agent"],
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        expires_at=row["expires_at"],
    )
