"""Every SQL statement on `sessions`."""

from datetime import datetime

from edgeflow_cloud.auth.model import Origin, Session
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import SessionId, TenantId, UserId


async def insert_session(tx: Transaction, session: Session, origin: Origin) -> None:
    await tx.execute(
        """
        insert into sessions (
            tenant_id, id, user_id, seed, generation, rotated_at, expires_at, ip_address, user_agent,
            created_at, last_seen_at
        ) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $6, $6)
        """,
        session.tenant_id,
        session.id,
        session.user_id,
        session.seed,
        session.generation,
        session.rotated_at,
        session.expires_at,
        origin.ip_address,
        origin.user_agent,
    )


async def rotate_session(
    tx: Transaction,
    tenant_id: TenantId,
    session_id: SessionId,
    *,
    generation: int,
    expires_at: datetime,
    origin: Origin,
    now: datetime,
) -> Session | None:
    """One step on from `generation`: of any number of parallel callers one gets the row, the others None."""
    row = await tx.fetchrow(
        """
        update sessions set generation = generation + 1, rotated_at = $5, expires_at = $4,
            last_seen_at = $5, ip_address = $6, user_agent = $7
        where tenant_id = $1 and id = $2 and generation = $3 and ended_at is null and expires_at > $5
        returning tenant_id, id, user_id, seed, generation, rotated_at, expires_at, ended_at, last_seen_at
        """,
        tenant_id,
        session_id,
        generation,
        expires_at,
        now,
        origin.ip_address,
        origin.user_agent,
    )
    return _session(row)


async def select_session(tx: Transaction, tenant_id: TenantId, session_id: SessionId) -> Session | None:
    row = await tx.fetchrow(
        """
        select tenant_id, id, user_id, seed, generation, rotated_at, expires_at, ended_at, last_seen_at
        from sessions where tenant_id = $1 and id = $2
        """,
        tenant_id,
        session_id,
    )
    return _session(row)


async def end_session(
    tx: Transaction, tenant_id: TenantId, session_id: SessionId, reason: str, now: datetime
) -> bool:
    """False when it was over already."""
    return (
        await tx.fetchval(
            """
            update sessions set ended_at = $4, end_reason = $3
            where tenant_id = $1 and id = $2 and ended_at is null
            returning true
            """,
            tenant_id,
            session_id,
            reason,
            now,
        )
        is True
    )


async def end_sessions_of_user(
    tx: Transaction, user_id: UserId, kept: SessionId | None, reason: str, now: datetime
) -> list[SessionId]:
    """End a person's sessions in every organization, but for `kept`; the ended ones are returned."""
    rows = await tx.fetch(
        "select session_id from end_sessions_of_user($1, $2, $3, $4)", user_id, kept, now, reason
    )
    return [SessionId(row["session_id"]) for row in rows]


async def touch_session(
    tx: Transaction, tenant_id: TenantId, session_id: SessionId, now: datetime, seen_before: datetime
) -> None:
    """It was seen now; nothing is written when it was seen after `seen_before`."""
    await tx.execute(
        """
        update sessions set last_seen_at = $3
        where tenant_id = $1 and id = $2 and coalesce(last_seen_at, rotated_at) < $4
        """,
        tenant_id,
        session_id,
        now,
        seen_before,
    )


async def find_sessions_of_user(tx: Transaction, user_id: UserId, now: datetime) -> list[Row]:
    """A person's living sessions in every organization, the last seen first."""
    return await tx.fetch(
        """
        select session_id, tenant_id, organization_name, ip_address, user_agent, created_at, last_seen_at,
            expires_at
        from find_sessions_of_user($1, $2)
        """,
        user_id,
        now,
    )


async def end_session_of_user(
    tx: Transaction, user_id: UserId, session_id: SessionId, reason: str, now: datetime
) -> bool:
    """End one session of a person, in whichever organization. False when there is no such living one."""
    row = await tx.fetchrow(
        "select session_id from end_session_of_user($1, $2, $3, $4)", user_id, session_id, now, reason
    )
    return row is not None


FORGET_SESSIONS = """
    delete from sessions where (tenant_id, id) in (
        select tenant_id, id from sessions where coalesce(ended_at, expires_at) < $1 limit $2
    )
"""


def _session(row: Row | None) -> Session | None:
    if row is None:
        return None
    return Session(
        tenant_id=TenantId(row["tenant_id"]),
        id=SessionId(row["id"]),
        user_id=UserId(row["user_id"]),
        seed=row["seed"],
        generation=row["generation"],
        rotated_at=row["rotated_at"],
        expires_at=row["expires_at"],
        ended_at=row["ended_at"],
        last_seen_at=row["last_seen_at"],
    )
