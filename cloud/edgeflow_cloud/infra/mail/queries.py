"""Every SQL statement on `mails`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction


async def insert_mail(
    tx: Transaction,
    mail_id: UUID,
    *,
    kind: str,
    recipient: str,
    sealed: bytes,
    state: str,
    good_until: datetime,
    now: datetime,
) -> None:
    """People's transactions may add a mail and read none: no `returning` here."""
    await tx.execute(
        """
        insert into mails (id, kind, recipient, sealed, state, good_until, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        mail_id,
        kind,
        recipient,
        sealed,
        state,
        good_until,
        now,
    )


async def select_mail(tx: Transaction, mail_id: UUID) -> Row | None:
    return await tx.fetchrow(
        """
        select id, kind, recipient, sealed, state, error, good_until, created_at from mails where id = $1
        """,
        mail_id,
    )


async def select_latest(tx: Transaction, limit: int) -> list[Row]:
    return await tx.fetch(
        """
        select id, kind, recipient, sealed, state, error, good_until, created_at
        from mails order by created_at desc, id desc limit $1
        """,
        limit,
    )


async def select_sealed(tx: Transaction, after: UUID, limit: int) -> list[Row]:
    """Mails whose text is still there, in the order of their ids, locked."""
    return await tx.fetch(
        """
        select id, sealed from mails where sealed is not null and id > $1 order by id limit $2 for update
        """,
        after,
        limit,
    )


async def replace_sealed(tx: Transaction, changed: Sequence[tuple[UUID, bytes]]) -> None:
    await tx.executemany("update mails set sealed = $2 where id = $1", changed)


async def end_mail(tx: Transaction, mail_id: UUID, state: str, error: str | None, now: datetime) -> None:
    """It is sent or given up: a sent one's text goes."""
    await tx.execute(
        """
        update mails set state = $2, error = $3, ended_at = $4,
            sealed = case when $2 = 'sent' then null else sealed end
        where id = $1
        """,
        mail_id,
        state,
        error,
        now,
    )


async def note_error(tx: Transaction, mail_id: UUID, error: str) -> None:
    await tx.execute("update mails set error = $2 where id = $1 and state = 'waiting'", mail_id, error)


DELETE_OLD_MAILS = """
delete from mails where id in (select id from mails where created_at < $1 order by created_at limit $2)
"""
