"""Frames to handlers: in order for each device and kind, bounded, and never a task for an idle connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from typing import Protocol, TypeVar, cast

import structlog

from edgeflow_cloud import organizations
from edgeflow_cloud.devices import authenticate_many
from edgeflow_cloud.kernel.errors import Problem
from edgeflow_cloud.tunnel.fairness import Fairness
from edgeflow_cloud.tunnel.model import KEY_REVOKED, SUSPENDED, Limits, Superseded
from edgeflow_cloud.tunnel.presence import DATABASE_AWAY
from edgeflow_cloud.tunnel.routing import CHECK_KEY, SEND, Parcel
from edgeflow_cloud.tunnel.session import Home, Session
from edgeflow_cloud.tunnel.side import (
    ActionHandler,
    Concerned,
    ConnectStep,
    DeviceSide,
    FaultHandler,
    FrameHandler,
    SignalHandler,
)
from edgeflow_protocol import FrameError, frames
from edgeflow_protocol.errors import Fault

log = structlog.get_logger("edgeflow.tunnel")

_SETTLE_SECONDS = 5.0
_K = TypeVar("_K")
_V = TypeVar("_V")


class Workplace(Home, Protocol):
    """The hub, as the exchange needs it."""

    limits: Limits
    fairness: Fairness

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run short work of a session; it must not raise."""
        ...

    async def settle(self, seconds: float) -> None:
        """Let work that runs come to its end."""
        ...


class Exchange:
    """The handlers of all subsystems, and the frames on their way to them."""

    def __init__(self, hub: Workplace, sides: Sequence[DeviceSide]) -> None:
        self._hub = hub
        self._frames: dict[type, FrameHandler] = {}
        self._faults: dict[str, FaultHandler] = {}
        self._actions: dict[str, ActionHandler] = {"health_check": _health_check}
        self._signals: dict[str, SignalHandler] = {CHECK_KEY: _check_key}
        self._steps: list[tuple[Concerned | None, ConnectStep]] = []
        for side in sides:
            self._frames |= _only_new(self._frames, side.frames)
            self._faults |= _only_new(self._faults, side.faults)
            self._actions |= _only_new(self._actions, side.actions)
            self._signals |= _only_new(self._signals, side.signals)
            self._steps.extend((side.concerned, step) for step in side.on_connect)
        self._confirmed = asyncio.Event()
        self._confirmed.set()

    def take(self, session: Session, frame: frames.DeviceFrame) -> None:
        """A frame that is no ping."""
        kind = type(frame)
        if isinstance(frame, frames.Response):
            if not session.hand_answer(frame) and kind in self._frames:
                self._enqueue(session, kind, frame)
        elif isinstance(frame, frames.Command) or kind in self._frames:
            self._enqueue(session, kind, frame)
        elif isinstance(frame, frames.Connect):
            _complain(session, "already_connected", "This connection is already in.")
        elif not isinstance(frame, frames.Pong):
            name = str(kind.__struct_config__.tag)
            _complain(
                session,
                "not_negotiated",
                f"This cloud does not take `{name}` frames here.",
                getattr(frame, "id", ""),
            )

    def fault(self, session: Session, error: FrameError) -> None:
        """A frame that cannot be read. The connection stays; whoever can be answered is."""
        handler = self._faults.get(error.frame_type)
        if error.fault is Fault.WRONG_FIELD and handler is not None:
            self._enqueue(session, error.frame_type, error)
        elif error.frame_type == "response" and error.id:
            # The device did answer; that its answer has the wrong shape is the answer.
            refusal = frames.Response(id=error.id, status=frames.ERROR, error=f"Malformed answer: {error}")
            self.take(session, refusal)
        elif error.frame_type == "command" and error.id:
            session.send(frames.Response(id=error.id, status=frames.ERROR, error=str(error)))
        else:
            _complain(session, error.fault, str(error), error.id)

    def signal(self, session: Session, parcel: Parcel) -> None:
        """A parcel for one of our devices."""
        if parcel.name == SEND:
            session.connection.send(parcel.data)
        elif parcel.name in self._signals:
            self._enqueue(session, parcel.name, parcel.data)
        else:
            log.warning("tunnel.unknown_signal", signal=parcel.name)

    def welcome(self, sessions: Sequence[Session]) -> None:
        """Run the connect steps of those who came in together, for each one after the other."""
        if self._steps and sessions:
            self._hub.spawn(self._welcome(sessions))

    def hold(self) -> bool:
        """Hand nothing on until `release`. False when that is so already."""
        held = self._confirmed.is_set()
        self._confirmed.clear()
        return held

    def release(self) -> None:
        """Hand on what waited; of replaced sessions nothing."""
        self._confirmed.set()

    async def settle(self) -> None:
        """Let handlers that run come to their end, within five seconds."""
        self._confirmed.set()
        await self._hub.settle(_SETTLE_SECONDS)

    async def _welcome(self, sessions: Sequence[Session]) -> None:
        for concerned, step in self._steps:
            chosen = sessions
            if concerned is not None:
                try:
                    chosen = await concerned(self._hub.context, sessions)
                except Exception as error:  # then everybody asks for himself
                    log.warning("tunnel.welcome_unknown", devices=len(sessions), error=str(error))
            for session in chosen:
                self._enqueue(session, "welcome", step)

    def _enqueue(self, session: Session, kind: object, item: object) -> None:
        inboxes = session.inboxes
        if inboxes is None:
            inboxes = session.inboxes = {}
        inbox = inboxes.get(kind)
        session.waiting += 1
        if inbox is not None:
            inbox.append(item)
            if session.waiting >= self._hub.limits.waiting_frames:
                session.connection.pause_reading()  # full means: the device waits in its own buffers
            return
        inboxes[kind] = deque((item,))
        self._hub.spawn(self._drain(session, kind, inboxes[kind]))

    async def _drain(self, session: Session, kind: object, inbox: deque[object]) -> None:
        """Handle what one kind's inbox holds, in order, then forget the inbox."""
        try:
            while inbox:
                if not self._confirmed.is_set():
                    await self._confirmed.wait()
                if session.replaced:
                    inbox.clear()  # its successor is in: what it still says is refused
                    break
                try:
                    await self._handle_in_turn(session, kind, inbox[0])
                except Superseded:
                    self._hub.doubt(session)
                except Exception:
                    log.exception("tunnel.handler_failed", device=session.wire_id, kind=str(kind))
                inbox.popleft()
                session.waiting -= 1
                if session.waiting * 2 <= self._hub.limits.waiting_frames and not session.held:
                    session.connection.resume_reading()
        finally:
            inboxes = session.inboxes
            if inboxes is not None and inboxes.get(kind) is inbox:
                del inboxes[kind]
                if not inboxes:
                    session.inboxes = None
                    session.waiting = 0

    async def _handle_in_turn(self, session: Session, kind: object, item: object) -> None:
        """What a device said takes one of its organization's places. What it is told takes none: that may wait for
        the device itself.
        """
        share = session.share
        if share is None or (isinstance(kind, str) and not isinstance(item, FrameError)):
            await self._handle(session, kind, item)
            return
        await self._hub.fairness.enter(share)
        try:
            if not session.replaced:
                await self._handle(session, kind, item)
        finally:
            self._hub.fairness.leave(share)

    async def _handle(self, session: Session, kind: object, item: object) -> None:
        if isinstance(item, frames.Command):
            await self._obey(session, item)
        elif isinstance(item, FrameError):
            await self._faults[item.frame_type](session, item)
        elif kind == "welcome":
            if session.is_open:
                await cast(ConnectStep, item)(session)
        elif isinstance(kind, str):
            await self._signals[kind](session, cast(bytes, item))
        else:
            await self._frames[cast(type, kind)](session, item)

    async def _obey(self, session: Session, command: frames.Command) -> None:
        """A device's own command: always answered, and never by nothing."""
        handler = self._actions.get(command.action)
        try:
            if handler is None:
                known = ", ".join(sorted(self._actions))
                error = f"This cloud does not know the command '{command.action[:64]}'; it knows {known}."
                answer = frames.Response(id=command.id, status=frames.ERROR, error=error)
            else:
                data = await handler(session, command.payload)
                answer = frames.Response(id=command.id, status=frames.SUCCESS, data=data)
            session.send(answer)
        except Superseded:
            raise
        except Problem as problem:
            session.send(frames.Response(id=command.id, status=frames.ERROR, error=problem.detail))
        except Exception:
            log.exception("tunnel.action_failed", device=session.wire_id, action=command.action[:64])
            error = "The cloud failed to do this; try again."
            session.send(frames.Response(id=command.id, status=frames.ERROR, error=error))


def _only_new(known: Mapping[_K, _V], added: Mapping[_K, _V]) -> Mapping[_K, _V]:
    """Two subsystems on one name is a mistake of ours, found at the start."""
    if clash := known.keys() & added.keys():
        raise ValueError(f"Two subsystems want {clash} from devices.")
    return added


def _complain(session: Session, code: str, sentence: str, id: str = "") -> None:
    if session.negotiated:
        session.send(frames.Error(error=sentence, code=code, id=id))
    else:
        session.send(frames.Error(error=sentence))


async def _health_check(session: Session, _payload: dict[str, object]) -> object:
    return {"status": "healthy", "device_id": session.wire_id}


async def _check_key(session: Session, _data: bytes) -> None:
    """Its key was changed, the device removed or its organization closed: may it stay?"""
    try:
        async with session.context.db.lookup() as tx:
            right = await authenticate_many(tx, [(session.device_id, session.key_hash)])
            closed = await organizations.closed_among(tx, right.values())
    except DATABASE_AWAY as error:
        log.warning("tunnel.key_not_checked", device=session.wire_id, error=str(error))
        return
    if session.device_id not in right:
        session.hub.end(session, KEY_REVOKED, "Its key is no longer good.")
    elif closed:
        session.hub.end(session, SUSPENDED, "Its organization was closed.")
