"""Commands at the hub that holds the device: sent in order, answered once, taken up again after a lost
connection.

Nothing is kept here that is not in PostgreSQL: a command is `sent` there before a byte of it goes out. A
signal handler never waits for the device, since the device's answers would wait behind it; it starts work
instead.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import TypeVar

import asyncpg
import msgspec
import structlog

from edgeflow_cloud.commands import service
from edgeflow_cloud.commands.execution import LOOK, SEND
from edgeflow_cloud.commands.model import ERROR_LIMIT, SETTLE_SECONDS, Command, CommandStatus
from edgeflow_cloud.commands.waiting import tell
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.kernel.ids import CommandId
from edgeflow_cloud.tunnel import DeviceAway, DeviceSide, NoAnswer, Session, Turn
from edgeflow_protocol import FrameError, frames
from edgeflow_protocol.actions import Action
from edgeflow_protocol.capabilities import BASE_COMMANDS_IN_FLIGHT, NEGOTIATED_COMMANDS_IN_FLIGHT

T = TypeVar("T")
log = structlog.get_logger("edgeflow.commands")

DATABASE_AWAY = (
    Unavailable,
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
)
PATIENCE_SECONDS = 60.0
"""For how long an answer that PostgreSQL cannot take now is held; then the sweep says `unknown`."""
IN_TRANSIT = timedelta(seconds=5)
"""A command that was marked as sent so recently may still be on its way to this hub."""

_decode = msgspec.json.Decoder(Command).decode


class Desk:
    """One session's work with commands. There is one only while there is work."""

    __slots__ = ("again", "pumps", "running", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.pumps = 0
        self.again = False
        self.running: set[CommandId] = set()

    @property
    def width(self) -> int:
        """How many commands the device's lane holds at once."""
        return NEGOTIATED_COMMANDS_IN_FLIGHT if self.session.negotiated else BASE_COMMANDS_IN_FLIGHT


_desks: dict[Session, Desk] = {}
_settling: set[Session] = set()


async def on_send(session: Session, data: bytes) -> None:
    """A command that is `sent` already and for which the lane was free when it was stored."""
    _spawn(session, _start(_desk(session), _decode(data)))


async def on_look(session: Session, _data: bytes) -> None:
    """Something waits in the device's queue."""
    _look(_desk(session))


async def on_connect(session: Session) -> None:
    """The device is back: what it was sent is sent again or given up, what waited for it goes out."""
    if not session.negotiated:
        _settling.add(session)
        asyncio.get_running_loop().call_later(SETTLE_SECONDS, _settling.discard, session)
    async with session.context.db.tenant_tx(session.principal) as tx:
        active = await service.list_active(tx, session.tenant_id, session.device_id)
    desk = _desk(session)
    now = session.context.clock.now()
    for command in active:
        if command.status is not CommandStatus.SENT or command.sent_at is None:
            continue
        if session.negotiated and now < command.sent_at + timedelta(seconds=command.timeout):
            _spawn(session, _resume(desk, command))
        elif command.epoch is not None or now - command.sent_at > IN_TRANSIT:
            error = "The connection was lost before an answer came; the device may have done it."
            _spawn(session, _finish(session, command, CommandStatus.UNKNOWN, error=error))
    if any(command.status is CommandStatus.QUEUED for command in active):
        _look(desk)
    _put_away(desk)


async def on_stray(session: Session, response: frames.Response) -> None:
    """An answer that nobody waits for: late, twice, or to a command that was never this device's."""
    log.info("commands.answer_ignored", device=session.wire_id, command=response.id[:64])


DEVICE_SIDE = DeviceSide(
    frames={frames.Response: on_stray},
    signals={SEND: on_send, LOOK: on_look},
    on_connect=[on_connect],
)


def _spawn(session: Session, work: Coroutine[object, object, None]) -> None:
    """Start work beside the handlers; a fault of ours in it ends nothing else."""

    async def guarded() -> None:
        try:
            await work
        except Exception:
            log.exception("commands.work_failed", device=session.wire_id)

    session.hub.spawn(guarded())


def _desk(session: Session) -> Desk:
    desk = _desks.get(session)
    if desk is None:
        desk = _desks[session] = Desk(session)
    return desk


def _put_away(desk: Desk) -> None:
    if not desk.pumps and not desk.running and _desks.get(desk.session) is desk:
        del _desks[desk.session]


def _look(desk: Desk) -> None:
    """Have somebody look into the queue after this moment: one more, or those who are at it."""
    if desk.pumps < desk.width:
        desk.pumps += 1
        _spawn(desk.session, _pump(desk))
    else:
        desk.again = True


async def _pump(desk: Desk) -> None:
    """Send what waits, the oldest first, until nothing does; each that finds work calls one more to its
    side."""
    session = desk.session
    try:
        while session.is_open:
            async with session.lane.turn() as turn:
                desk.again = False
                async with session.context.db.tenant_tx(session.principal) as tx:
                    command = await service.claim_next(
                        tx,
                        session.tenant_id,
                        session.device_id,
                        epoch=session.epoch,
                        now=session.context.clock.now(),
                    )
                if command is not None:
                    _look(desk)
                    await _perform(desk, turn, command)
                elif not desk.again:
                    return
    except DeviceAway:
        pass  # what waits is found when the device is back
    except DATABASE_AWAY as error:  # the sweep reminds us
        log.warning(
            "commands.queue_not_read", device=session.wire_id, error=str(error)
        )  # the sweep reminds us
    finally:
        desk.pumps -= 1
        _put_away(desk)


async def _start(desk: Desk, command: Command) -> None:
    session = desk.session
    if command.id in desk.running:
        return
    if not session.lane.room:
        if session.is_open:
            await _write(session, lambda tx: service.queue_again(tx, command))
            _look(desk)
        else:
            await _give_back(session, command)
            _put_away(desk)
        return
    await _take_turn(desk, command)


async def _resume(desk: Desk, command: Command) -> None:
    """Send once more what an older connection was sent: this device does what has one id only once."""
    if command.id in desk.running:
        return
    taken = await _write(desk.session, lambda tx: service.claim_again(tx, command, desk.session.epoch))
    if taken:
        await _take_turn(desk, command)


async def _take_turn(desk: Desk, command: Command) -> None:
    desk.running.add(command.id)
    try:
        async with desk.session.lane.turn() as turn:
            await _perform(desk, turn, command)
    except DeviceAway:
        await _give_back(desk.session, command)
    finally:
        desk.running.discard(command.id)
        _put_away(desk)


async def _perform(desk: Desk, turn: Turn, command: Command) -> None:
    """Send the command, wait for its answer, store what came of it."""
    session = desk.session
    if not session.negotiated and command.action == Action.SET_GPIO:
        error = "This device's software does not know set_gpio. Update it to the EdgeFlow agent to set pins."
        await _finish(session, command, CommandStatus.FAILED, error=error)
        return
    timeout = command.timeout + (SETTLE_SECONDS if session in _settling else 0.0)
    frame = frames.Command(id=command.wire_id, action=command.action, payload=command.payload)
    try:
        response = await turn.request(frame, timeout)
    except NoAnswer:
        error = f"The device did not answer within {timeout:g} seconds; it may still have done it."
        await _finish(session, command, CommandStatus.UNKNOWN, error=error)
    except FrameError as problem:
        await _finish(session, command, CommandStatus.FAILED, error=str(problem))
    except DeviceAway as away:
        if not away.sent:
            await _give_back(session, command)
        elif not session.negotiated:
            error = "The connection was lost before an answer came; the device may have done it."
            await _finish(session, command, CommandStatus.UNKNOWN, error=error)
        # Else it stays `sent`: it is sent again when the device is back in time, and unknown when it is not.
    else:
        if response.succeeded:
            await _finish(session, command, CommandStatus.DONE, result=response.data)
        else:
            error = response.error or "The device refused, and gave no reason."
            await _finish(session, command, CommandStatus.FAILED, result=response.data, error=error)


async def _finish(
    session: Session,
    command: Command,
    status: CommandStatus,
    *,
    result: object = None,
    error: str | None = None,
) -> None:
    now = session.context.clock.now()
    said = error[:ERROR_LIMIT] if error else None
    ended = await _write(
        session,
        lambda tx: service.finish_command(
            tx, command.tenant_id, command.id, status, now=now, result=result, error=said
        ),
    )
    if ended is None:
        log.info("commands.answer_ignored", device=session.wire_id, command=command.wire_id, status=status)
    else:
        await tell(session.context.bus, ended)


async def _give_back(session: Session, command: Command) -> None:
    now = session.context.clock.now()
    ended = await _write(session, lambda tx: service.give_back(tx, command, now))
    if ended is not None and ended.is_final:
        await tell(session.context.bus, ended)


async def _write(session: Session, work: Callable[[Transaction], Awaitable[T]]) -> T | None:
    """Do `work` in a transaction of the device's organization; while the database is away, again and again.

    None after a minute, or when `work` answers None: the row then tells its own story.
    """
    delay, loop = 0.1, asyncio.get_running_loop()
    until = loop.time() + PATIENCE_SECONDS
    while True:
        try:
            async with session.context.db.tenant_tx(session.principal) as tx:
                return await work(tx)
        except DATABASE_AWAY as error:
            if loop.time() > until:
                log.warning("commands.not_stored", device=session.wire_id, error=str(error))
                return None
        await asyncio.sleep(delay)
        delay = min(delay * 2, 2.0)
