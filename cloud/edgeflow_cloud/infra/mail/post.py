"""Asking for a mail, sending it in a job, and what the operator sees of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
import structlog

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.jobs import Job, enqueue
from edgeflow_cloud.infra.mail import queries
from edgeflow_cloud.infra.mail.delivery import NotSent, Refused, deliver
from edgeflow_cloud.infra.mail.model import Content, Kept, Letter, State
from edgeflow_cloud.infra.mail.rendering import render
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.sealing import CannotOpen, Sealed, is_current, seal, unseal
from edgeflow_cloud.infra.smtp import SmtpAddress
from edgeflow_cloud.kernel import ids

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context

log = structlog.get_logger("edgeflow.mail")
_BATCH: Final = 200


async def send(
    tx: Transaction,
    context: "Context",
    letter: Letter,
    recipient: str,
    values: Mapping[str, object],
    *,
    good_for: timedelta,
) -> UUID:
    """Write to `recipient` (an address that was checked) when `tx` commits; answers the mail's id.

    `values` fill the letter's templates; `good_for` is how long the mail is of use. The database keeps the text
    sealed. Works in every kind of transaction.
    """
    now = context.clock.now()
    content = render(letter, values)
    mail_id = ids.new()
    state = State.KEPT if context.settings.smtp_url is None else State.WAITING
    await queries.insert_mail(
        tx,
        mail_id,
        kind=letter.name,
        recipient=recipient,
        sealed=seal(context.secrets, msgspec.json.encode(content), purpose=_purpose(mail_id)),
        state=state.value,
        good_until=now + good_for,
        now=now,
    )
    if state is State.WAITING:
        await enqueue(tx, DELIVER, {"mail_id": str(mail_id)})
    return mail_id


async def _deliver(context: "Context", payload: dict[str, object]) -> None:
    """Job: send one mail. A second run of a sent one does nothing; one that died after the server's yes sends twice."""
    mail_id = UUID(str(payload["mail_id"]))
    async with context.db.system_tx("mail") as tx:
        row = await queries.select_mail(tx, mail_id)
    if row is None or row["state"] != State.WAITING:
        return
    if row["good_until"] <= context.clock.now():
        await _end(context, mail_id, State.LATE, row["error"])
        return
    if context.settings.smtp_url is None:  # it was taken away meanwhile
        await _end(context, mail_id, State.KEPT, None)
        return
    mail = _kept(context, row)
    if mail.content is None:
        raise CannotOpen("The text of this mail cannot be opened: the master key that sealed it is gone.")
    address = SmtpAddress.parse(context.settings.smtp_url)
    try:
        await deliver(
            address, context.settings.sender, mail_id, mail.recipient, mail.content, mail.created_at
        )
    except Refused as error:
        log.warning("mail.refused", mail_id=str(mail_id), kind=mail.kind, answer=str(error)[:300])
        await _end(context, mail_id, State.REFUSED, str(error)[:500])
    except NotSent as error:
        async with context.db.system_tx("mail") as tx:
            await queries.note_error(tx, mail_id, str(error)[:500])
        raise
    else:
        await _end(context, mail_id, State.SENT, None)


async def _end(context: "Context", mail_id: UUID, state: State, error: str | None) -> None:
    async with context.db.system_tx("mail") as tx:
        await queries.end_mail(tx, mail_id, state.value, error, context.clock.now())


async def latest(context: "Context", limit: int = 50) -> list[Kept]:
    """The latest mails, the newest first, for the instance's operator."""
    async with context.db.system_tx("mail list") as tx:
        return [_kept(context, row) for row in await queries.select_latest(tx, limit)]


async def find(context: "Context", mail_id: UUID) -> Kept | None:
    """One mail, for the instance's operator."""
    async with context.db.system_tx("mail show") as tx:
        row = await queries.select_mail(tx, mail_id)
    return _kept(context, row) if row else None


async def _reseal(context: "Context") -> int:
    """Seal every stored text with the master key in use; what cannot be opened stays as it is."""
    changed, after = 0, UUID(int=0)
    while True:
        async with context.db.system_tx("reseal mails") as tx:
            rows = await queries.select_sealed(tx, after, _BATCH)
            fresh: list[tuple[UUID, bytes]] = []
            for row in rows:
                if is_current(context.secrets, row["sealed"]):
                    continue
                text = _open(context, row["id"], row["sealed"], context.clock.now())
                if text is not None:
                    fresh.append((row["id"], seal(context.secrets, text, purpose=_purpose(row["id"]))))
            await queries.replace_sealed(tx, fresh)
        changed += len(fresh)
        if len(rows) < _BATCH:
            return changed
        after = rows[-1]["id"]


def _kept(context: "Context", row: Row) -> Kept:
    text = _open(context, row["id"], row["sealed"], context.clock.now()) if row["sealed"] else None
    return Kept(
        id=row["id"],
        kind=row["kind"],
        recipient=row["recipient"],
        state=State(row["state"]),
        error=row["error"],
        created_at=row["created_at"],
        good_until=row["good_until"],
        content=msgspec.json.decode(text, type=Content) if text else None,
    )


def _open(context: "Context", mail_id: UUID, sealed: bytes, now: datetime) -> bytes | None:
    try:
        return unseal(context.secrets, sealed, purpose=_purpose(mail_id), now=now)
    except CannotOpen:
        return None


def _purpose(mail_id: UUID) -> str:
    return f"mail {mail_id}"


DELIVER = Job(name="mail.deliver", handler=_deliver, attempts=30, timeout=timedelta(minutes=2), concurrency=4)
"""Tried for about two hours: mail servers greylist, and are restarted."""

RETENTION = Retention(table="mails", keep=timedelta(days=30), statement=queries.DELETE_OLD_MAILS)
SEALED = Sealed(what="mails", reseal=_reseal)
