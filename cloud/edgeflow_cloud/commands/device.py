"""Commands at the hub that holds the device: taken in as orders, and taken up again after a lost connection.

Nothing is kept here that is not in PostgreSQL: a command is `sent` there before a byte of it goes out. A
signal handler never waits for the device, since the device's answers would wait behind it; it starts work
instead.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import structlog

from edgeflow_cloud.commands import sending, service
from edgeflow_cloud.commands.execution import LOOK, SEND
from edgeflow_cloud.commands.model import Command, CommandStatus
from edgeflow_cloud.commands.outcome import end_cancelled, finish
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.tunnel import DeviceSide, Session
from edgeflow_protocol import frames

log = structlog.get_logger("edgeflow.commands")

_decode = msgspec.json.Decoder(Command).decode


async def on_send(session: Session, data: bytes) -> None:
    """A command that is `sent` already and for which the lane was free when it was stored."""
    sending.spawn(session, sending.start(session, _decode(data)))


async def on_look(session: Session, _data: bytes) -> None:
    """Something waits in the device's queue."""
    sending.look(sending.open_desk(session))


async def concerned(context: Context, sessions: Sequence[Session]) -> Sequence[Session]:
    """Those for whom something waits, and clients that negotiated nothing: for them a while of quiet begins."""
    async with context.db.system_tx("commands of arrivals") as tx:
        busy = await service.list_busy(tx, [(one.tenant_id, one.device_id) for one in sessions])
    return [session for session in sessions if session.device_id in busy or not session.negotiated]


async def on_connect(session: Session) -> None:
    """The device is back: what it was sent is sent again or given up, what waited for it goes out."""
    if not session.negotiated:
        sending.settle(session)
    async with session.context.db.tenant_tx(session.principal) as tx:
        active = await service.list_active(tx, session.tenant_id, session.device_id)
    desk = sending.open_desk(session)
    now = session.context.clock.now()
    for command in active:
        if command.status is not CommandStatus.SENT or command.sent_at is None:
            continue
        if command.id in desk.running or (command.epoch or 0) >= session.epoch:
            continue  # this connection's own
        if command.cancel_requested_at is not None:
            sending.spawn(session, end_cancelled(session, command))
        elif session.negotiated and now < command.sent_at + timedelta(seconds=command.timeout):
            desk.resend.append(command)
        elif command.epoch is not None or now - command.sent_at > sending.IN_TRANSIT:
            error = "The connection was lost before an answer came; the device may have done it."
            sending.spawn(session, finish(session, command, CommandStatus.UNKNOWN, error=error))
    if desk.resend or any(command.status is CommandStatus.QUEUED for command in active):
        sending.look(desk)
    sending.put_away(desk)


async def on_stray(session: Session, response: frames.Response) -> None:
    """An answer that nobody waits for: late, twice, or to a command that was never this device's."""
    log.info("commands.answer_ignored", device=session.wire_id, command=response.id[:64])


DEVICE_SIDE = DeviceSide(
    frames={frames.Response: on_stray},
    signals={SEND: on_send, LOOK: on_look},
    on_connect=[on_connect],
    concerned=concerned,
)
