"""A hub's sending of commands to one device: in order, as many at once as its lane has room for, each answered once
or given up.

Work that would wait for the device is started beside the handlers (`spawn`), since the device's answers would wait
behind them.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import structlog

from edgeflow_cloud.commands import service
from edgeflow_cloud.commands.model import SETTLE_SECONDS, Command, CommandStatus
from edgeflow_cloud.commands.outcome import DATABASE_AWAY, end_cancelled, finish, give_back, write
from edgeflow_cloud.commands.waiting import tell
from edgeflow_cloud.kernel.ids import CommandId
from edgeflow_cloud.tunnel import DeviceAway, NoAnswer, Session, Superseded, Turn
from edgeflow_protocol import FrameError, frames
from edgeflow_protocol.actions import Action

log = structlog.get_logger("edgeflow.commands")

IN_TRANSIT = timedelta(seconds=5)
"""A command that was marked as sent so recently may still be on its way to this hub."""


class Desk:
    """One session's work with commands. There is one only while there is work."""

    __slots__ = ("again", "blocked", "looking", "resend", "resent", "running", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.looking = False
        self.again = False
        self.blocked = False  # an order that is on its way to this hub comes first
        self.resend: deque[Command] = deque()
        self.resent: set[CommandId] = set()
        self.running: set[CommandId] = set()


_desks: dict[Session, Desk] = {}
_settling: set[Session] = set()
_late: OrderedDict[CommandId, None] = OrderedDict()
"""Orders that did not arrive in time and were taken up or given up without: should one arrive after all, it is void."""
_LATE_KEPT = 4_096


def settle(session: Session) -> None:
    """Give a client of the field, which reads nothing for a while after it connected, that much longer to answer."""
    _settling.add(session)
    asyncio.get_running_loop().call_later(SETTLE_SECONDS, _settling.discard, session)


def spawn(session: Session, work: Coroutine[object, object, None]) -> None:
    """Start work beside the handlers; a fault of ours in it ends nothing else."""

    async def guarded() -> None:
        try:
            await work
        except Exception:
            log.exception("commands.work_failed", device=session.wire_id)

    session.hub.spawn(guarded())


def open_desk(session: Session) -> Desk:
    """The session's, made where there is none."""
    desk = _desks.get(session)
    if desk is None:
        desk = _desks[session] = Desk(session)
    return desk


def put_away(desk: Desk) -> None:
    """Forget it when nothing is left to do at it."""
    if not desk.looking and not desk.running and not desk.blocked and _desks.get(desk.session) is desk:
        del _desks[desk.session]


def look(desk: Desk) -> None:
    """Have the queue looked into after this moment."""
    if desk.looking:
        desk.again = True
    else:
        desk.looking = True
        spawn(desk.session, _send_waiting(desk))


async def _send_waiting(desk: Desk) -> None:
    """Send what waits, the oldest first, until nothing does. One at a time looks, so that the order is
    kept."""
    session = desk.session
    try:
        while session.is_open:
            async with AsyncExitStack() as place:
                turn = await place.enter_async_context(session.lane.turn())
                desk.again = desk.blocked = False
                command, orphan = await _take(desk)
                if command is not None:
                    desk.running.add(command.id)
                    spawn(session, _hold(desk, place.pop_all(), turn, command))
                elif not (orphan is not None and await _clear_way(desk, orphan)) and not desk.again:
                    break
    except (DeviceAway, Superseded):
        pass  # what waits is found when the device is back, or where it is by now
    except DATABASE_AWAY as error:  # the sweep reminds us
        log.warning("commands.queue_not_read", device=session.wire_id, error=str(error))
    finally:
        desk.looking = False
        put_away(desk)


async def _take(desk: Desk) -> tuple[Command | None, Command | None]:
    """The next command for this device, noted as sent on this connection; or, when there is none, the orphan that
    comes before all that may wait.

    First what an older connection was sent: this device keeps a journal, so it does what has one id once.
    """
    session = desk.session
    async with session.transaction() as tx:
        while desk.resend:
            command = desk.resend.popleft()
            if command.id not in desk.running and await service.claim_again(tx, command, session.epoch):
                desk.resent.add(command.id)
                return replace(command, epoch=session.epoch), None
        command = await service.claim_next(
            tx,
            session.tenant_id,
            session.device_id,
            epoch=session.epoch,
            now=session.context.clock.now(),
            running=desk.running,
        )
        if command is not None:
            return command, None
        return None, await service.find_orphan(tx, session.tenant_id, session.device_id, desk.running)


async def _clear_way(desk: Desk, orphan: Command) -> bool:
    """An older command's order should have arrived here, and nothing may be sent before it. It is waited for; if it
    does not come it is taken up: a device with a journal is sent it, any other's is unknown, since a hub that is gone
    may have sent it.

    Whether to look once more now. While the order may still be on its way, its arrival or a later look goes on.
    """
    session = desk.session
    if orphan.sent_at is None:
        return False
    now = session.context.clock.now()
    left = (orphan.sent_at + IN_TRANSIT - now).total_seconds()
    if left > 0:
        if not desk.blocked:
            desk.blocked = True
            asyncio.get_running_loop().call_later(left + 0.05, _look_again, desk)
        return False
    _late[orphan.id] = None
    if len(_late) > _LATE_KEPT:
        _late.popitem(last=False)
    if orphan.cancel_requested_at is not None:
        await end_cancelled(session, orphan)
    elif session.negotiated and now < orphan.sent_at + timedelta(seconds=orphan.timeout):
        desk.resend.append(orphan)
    else:
        error = "Nothing was heard of it since it was given; the device may have done it."
        await finish(session, orphan, CommandStatus.UNKNOWN, error=error, heard=True)
    return True


def _look_again(desk: Desk) -> None:
    if desk.session.is_open:
        look(desk)
    else:
        desk.blocked = False
        put_away(desk)


async def start(session: Session, command: Command) -> None:
    """Send an order that came to this hub; where there is no room any more, it goes back into the queue."""
    desk = open_desk(session)
    if command.id in desk.running or command.id in _late:
        put_away(desk)
        return
    if desk.blocked:
        look(desk)  # once this one is on its way, what waited for it follows
    if session.lane.room:
        desk.running.add(command.id)
        async with AsyncExitStack() as place:
            turn = await place.enter_async_context(session.lane.turn())  # there is room: it does not wait
            await _hold(desk, place.pop_all(), turn, command)
    elif session.is_open:
        now = session.context.clock.now()
        settled = await write(session, lambda tx: service.queue_again(tx, command, now))
        if settled is not None and settled.is_final:
            await tell(session.context.bus, settled)
        look(desk)
    else:
        await give_back(session, command)
        put_away(desk)


async def _hold(desk: Desk, place: AsyncExitStack, turn: Turn, command: Command) -> None:
    """Perform the command in its place of the lane, then leave the place to the next."""
    try:
        async with place:
            await _perform(desk, turn, command)
    finally:
        desk.running.discard(command.id)
        desk.resent.discard(command.id)
        put_away(desk)


async def _perform(desk: Desk, turn: Turn, command: Command) -> None:
    """Send the command, wait for its answer, store what came of it."""
    session = desk.session
    if not session.negotiated and command.action == Action.SET_GPIO:
        error = "This device's software does not know set_gpio. Update it to the EdgeFlow agent to set pins."
        await finish(session, command, CommandStatus.FAILED, error=error)
        return
    timeout = command.timeout + (SETTLE_SECONDS if session in _settling else 0.0)
    frame = frames.Command(id=command.wire_id, action=command.action, payload=command.payload)
    try:
        response = await turn.request(frame, timeout)
    except NoAnswer:
        error = f"The device did not answer within {timeout:g} seconds; it may still have done it."
        await finish(session, command, CommandStatus.UNKNOWN, error=error)
    except FrameError as problem:
        await finish(session, command, CommandStatus.FAILED, error=str(problem))
    except DeviceAway as away:
        if not away.sent and command.id not in desk.resent:
            await give_back(session, command)
        elif not session.negotiated:
            error = "The connection was lost before an answer came; the device may have done it."
            await finish(session, command, CommandStatus.UNKNOWN, error=error)
        # Else it stays `sent`: it is sent again when the device is back in time, and unknown when it is not.
    else:
        if response.succeeded:
            await finish(session, command, CommandStatus.DONE, result=response.data, heard=True)
        else:
            error = response.error or "The device refused, and gave no reason."
            await finish(
                session, command, CommandStatus.FAILED, result=response.data, error=error, heard=True
            )
