"""The hub: holds the devices' live connections, and passes their frames to whoever asked for them.

One event loop, no task per idle connection.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from itertools import count
from typing import Final

import structlog

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.sockets import Connection, Receiver
from edgeflow_cloud.infra.wheel import NOWHERE, Wheel
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.tunnel.admission import Applicant
from edgeflow_cloud.tunnel.clones import Suspicions
from edgeflow_cloud.tunnel.damping import Damping
from edgeflow_cloud.tunnel.entrance import Entrance
from edgeflow_cloud.tunnel.exchange import Exchange
from edgeflow_cloud.tunnel.fairness import Fairness
from edgeflow_cloud.tunnel.measures import CONNECTED, note_held_back, say_refusals
from edgeflow_cloud.tunnel.model import (
    GIVEN_UP,
    KEY_REVOKED,
    NO_HEARTBEAT,
    REPLACED,
    Limits,
    Refusal,
    rate_limited,
)
from edgeflow_cloud.tunnel.neighbours import Neighbours
from edgeflow_cloud.tunnel.presence import PresenceWriter
from edgeflow_cloud.tunnel.pulse import Pulse
from edgeflow_cloud.tunnel.rates import take
from edgeflow_cloud.tunnel.routing import Leases, Parcel, register, unregister
from edgeflow_cloud.tunnel.session import Session
from edgeflow_cloud.tunnel.side import DeviceSide
from edgeflow_protocol import FrameError, decode_from_device, encode, frames
from edgeflow_protocol.closing import CloseCode
from edgeflow_protocol.errors import Fault

log = structlog.get_logger("edgeflow.tunnel")

PING: Final = encode(frames.Ping())
PONG: Final = encode(frames.Pong())
STALL_SECONDS = 5.0
"""A loop that stood still for longer may have lost its devices to another hub: ask before anything is
written.
"""
_FAREWELL_SECONDS = 3.0
_SAY_EVERY = 10
"""Seconds between two lines about refusals."""
_TOLD_TO_WAIT = 5.0
_SMALL = 512
"""Messages up to here are bounded by their number alone."""


class Hub:
    """One process's share of the devices. Made by `app`, run as a service of the hub role.

    Whoever listens hands it connections: `websocket_protocol(hub.receiver)`, or `listen(hub, …)`.
    """

    def __init__(
        self,
        context: Context,
        sides: Sequence[DeviceSide],
        *,
        limits: Limits | None = None,
        drain_seconds: float = 0.0,
    ) -> None:
        self.context = context
        self.limits = limits or Limits()
        self.hub_id = secrets.token_hex(8)
        self.sessions: dict[DeviceId, Session] = {}
        self._drain_seconds = drain_seconds
        # The bucket of `rates.take`, unrolled in `received`: every heartbeat of every device passes there.
        self._frame_cost = 1.0 / self.limits.frames_per_second
        self._frame_slack = self.limits.frames_burst / self.limits.frames_per_second
        self._leases = Leases(context.bus, self.hub_id)
        self.damping = Damping(self.limits)
        self.fairness = Fairness(self.limits)
        self.presence = PresenceWriter(context, self._leases, self._on_stale)
        self._pulse = Pulse(context, self.hub_id, self.suspect, self._end_keys)
        self._neighbours = Neighbours(self, self._leases)
        self._suspicions = Suspicions(context, self.limits)
        self._exchange = Exchange(self, sides)
        capabilities = tuple(dict.fromkeys(name for side in sides for name in side.capabilities))
        self._entrance = Entrance(self, capabilities)
        self._wheel: Wheel[Session | Applicant] | None = None
        self._ticked = 0.0
        self._accepting = False
        self._now: Callable[[], float] = time.monotonic  # the event loop's own clock, once it runs
        self._tasks: asyncio.TaskGroup | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._emptied = asyncio.Event()

    # --- its life

    def receiver(self) -> Receiver | None:
        """For `websocket_protocol`: None while no connection is taken."""
        return self if self._accepting else None

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set; then drain, close with 1012, write everybody's departure."""
        self._now = asyncio.get_running_loop().time
        self._wheel = Wheel(self._now())
        self._ticked = self._now()
        self._entrance.begin(self._wheel)
        self._exchange.release()
        for session in self.sessions.values():  # after a crash of ours it is run again, with its connections
            session.wheel_slot = NOWHERE
            self._wheel.put(session, self._now() + self._patience())
        register(self.context.bus, self)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                services = [
                    tasks.create_task(self._tick(), name="hub-tick"),
                    tasks.create_task(self._pulse.run(), name="hub-pulse"),
                    tasks.create_task(self.presence.run(), name="hub-presence"),
                    tasks.create_task(self._entrance.run(), name="hub-admission"),
                    tasks.create_task(self._neighbours.listen(), name="hub-listen"),
                    tasks.create_task(self._neighbours.renew(), name="hub-leases"),
                    tasks.create_task(self._neighbours.watch(), name="hub-mark"),
                ]
                self._accepting = True
                log.info("tunnel.open", hub=self.hub_id)
                await stopping.wait()
                await self._say_goodbye()
                await _cancel(services)
                await self._exchange.settle()
            await self._pulse.stop()
        finally:
            self._accepting = False
            self._tasks = None
            unregister(self.context.bus, self)
            log.info("tunnel.closed", hub=self.hub_id)

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run short work of a session; it must not raise."""
        if self._tasks is None:
            work.close()
            return
        task = self._tasks.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def settle(self, seconds: float) -> None:
        """Let work that runs come to its end; what is not done by then is cancelled."""
        if self._work:
            _, late = await asyncio.wait(set(self._work), timeout=seconds)
            for task in late:
                task.cancel()

    async def _say_goodbye(self) -> None:
        self._accepting = False
        if self._drain_seconds > 0 and self.sessions:
            farewell = frames.Drain(within=self._drain_seconds)
            for session in list(self.sessions.values()):
                if session.negotiated:
                    session.send(farewell)
            await self._until_empty(self._drain_seconds)
        for session in list(self.sessions.values()):
            session.connection.close(CloseCode.RESTART, CloseCode.RESTART.meaning)
            self.presence.left(session, "The cloud restarts.")
        await self._until_empty(_FAREWELL_SECONDS)
        await self.presence.write_departures()

    async def _until_empty(self, seconds: float) -> None:
        self._emptied.clear()
        if self.sessions:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._emptied.wait()

    # --- Receiver: called by connections

    def opened(self, connection: Connection) -> None:
        """A handshake is complete: it has ten seconds to say who it is."""
        self._entrance.opened(connection, self._accepting)

    def received(self, connection: Connection, message: bytes) -> None:
        """A message: a heartbeat is answered here, all else goes to its handlers."""
        owner = connection.owner
        if type(owner) is not Session:
            if isinstance(owner, Applicant):
                self._entrance.introduced(owner, message)
            return
        session: Session = owner
        now = self._now()
        if now - self._ticked > STALL_SECONDS:
            self.suspect()
        session.seen = now
        if not session.touched:
            self.presence.touch(session)
        due = session.frames_due
        due = session.frames_due = (due if due > now else now) + self._frame_cost
        if due - now > self._frame_slack:
            self.end(session, rate_limited("frames", _TOLD_TO_WAIT), "It sent too many frames.")
            return
        if message == PING:  # as our agent writes it; one with a timestamp is read below
            connection.send(PONG)
            return
        if len(message) > _SMALL and not self._takes_bytes(session, len(message), now):
            return
        share = session.share
        if share is not None:
            over = self.fairness.count(share, now)
            if over and session.hold_back(over, self.limits.waiting_frames):
                note_held_back()
        try:
            frame = decode_from_device(message)
        except FrameError as error:
            if error.fault is Fault.TOO_LARGE:
                session.end(Refusal(CloseCode.TOO_LARGE, error.fault, str(error)))
            else:
                self._exchange.fault(session, error)
            return
        if type(frame) is frames.Ping:
            connection.send(PONG)
        else:
            self._exchange.take(session, frame)

    def closed(self, connection: Connection, code: int) -> None:
        """The socket is gone."""
        owner, connection.owner = connection.owner, None
        if isinstance(owner, Applicant):
            self._entrance.gone(owner)
        elif isinstance(owner, Session):
            if self._wheel is not None:
                self._wheel.drop(owner)
            owner.close_lane()
            if owner.share is not None:
                self.fairness.part(owner.share)
                owner.share = None
                CONNECTED.dec()
            if self.sessions.get(owner.device_id) is owner:
                del self.sessions[owner.device_id]
            if not self.sessions:
                self._emptied.set()
            if owner.replaced:
                if code == CloseCode.REPLACED:
                    self._contested(owner)
            else:
                self.presence.left(owner, _departure(code))

    # --- letting in

    def has_live(self, device_id: DeviceId) -> bool:
        """Whether a session of the device is open here."""
        session = self.sessions.get(device_id)
        return session is not None and session.is_open

    def seat(self, session: Session) -> bool:
        """Take the session in, in place of an older one. False: nobody is taken in any more."""
        connection = session.connection
        if self._wheel is None or not connection.is_open or not self._accepting:
            # It left while its key was checked; PostgreSQL has it online under this epoch, so take that back.
            self.presence.left(session, "The device closed the connection.")
            connection.close(CloseCode.RESTART, CloseCode.RESTART.meaning)
            return False
        self.replace(session.device_id, session.epoch)
        self.presence.came(session.device_id)
        connection.owner = session
        session.share = self.fairness.join(session.tenant_id)
        CONNECTED.inc()
        self.sessions[session.device_id] = session
        self._wheel.put(session, session.seen + self._patience())
        return True

    def welcome(self, sessions: list[Session]) -> None:
        """These are in, and were greeted."""
        self._exchange.welcome(sessions)
        self.spawn(self._neighbours.announce(sessions))

    # --- ending

    def replace(self, device_id: DeviceId, epoch: int) -> None:
        """A connection with `epoch` is in: an older one that is open here must go."""
        old = self.sessions.get(device_id)
        if old is not None and old.epoch < epoch:
            del self.sessions[device_id]
            old.replaced = True
            old.end(REPLACED)

    def end(self, session: Session, refusal: Refusal, reason: str) -> None:
        """End a session for a reason of ours; its departure is noted now, not when the socket is gone."""
        self.presence.left(session, reason)
        session.end(refusal)

    def doubt(self, session: Session) -> None:
        """The fence refused what it said: ask PostgreSQL what became of it, and end it."""
        self.spawn(self._ask(session))

    async def _ask(self, session: Session) -> None:
        await self.presence.confirm([session])

    def _on_stale(self, session: Session, succeeded: bool) -> None:
        """PostgreSQL knows a newer connection (`succeeded`), or gave this one up: it is heard no more."""
        session.replaced = True
        if self.sessions.get(session.device_id) is session:
            del self.sessions[session.device_id]
        session.end(REPLACED if succeeded else GIVEN_UP)

    def _end_keys(self, ended: Iterable[tuple[DeviceId, bytes]]) -> None:
        """Keys that are no longer good: the tunnels that were opened with them end."""
        for device_id, hashed in ended:
            session = self.sessions.get(device_id)
            if session is not None and session.key_hash == hashed and not session.left:
                self.end(session, KEY_REVOKED, "Its key is no longer good.")

    def _contested(self, session: Session) -> None:
        takeovers = self.damping.contest(session.device_id, self._now())
        if takeovers:
            winner = self.sessions.get(session.device_id)
            both = (session, winner) if winner is not None else (session,)
            addresses = sorted({one.connection.address for one in both if one.connection.address})
            self.spawn(self._suspicions.report(session, takeovers, addresses))

    # --- time

    async def _tick(self) -> None:
        """Once a second: those whose time is up. Also notices when the loop stood still."""
        for second in count():
            await asyncio.sleep(1.0)
            if second % _SAY_EVERY == 0:
                say_refusals()
            now = self._now()
            if now - self._ticked > STALL_SECONDS:
                self.suspect()
            self._ticked = now
            for item in self._wheel.due(now) if self._wheel is not None else ():
                if isinstance(item, Applicant):
                    self._entrance.expired(item)
                else:
                    self._check_heartbeat(item, now)

    def _check_heartbeat(self, session: Session, now: float) -> None:
        if self._wheel is None or self.sessions.get(session.device_id) is not session:
            return
        quiet = now - session.seen
        # While its frames wait for us, or it is held back, its socket is not read: that silence is ours.
        if quiet >= self._patience() and not session.waiting and not session.held:
            self.end(session, NO_HEARTBEAT, "Three heartbeats were missed.")
        else:
            self._wheel.put(session, max(session.seen + self._patience(), now + 1.0))

    def suspect(self) -> None:
        """We stood still: no frame is handed on until PostgreSQL has said whose devices these are now."""
        self._ticked = self._now()
        if self._exchange.hold():
            log.warning("tunnel.stalled", hub=self.hub_id, sessions=len(self.sessions))
            self.spawn(self._confirm())

    async def _confirm(self) -> None:
        for _ in count():
            if await self.presence.confirm(list(self.sessions.values())):
                break
            await asyncio.sleep(1.0)
        self._exchange.release()

    def _takes_bytes(self, session: Session, size: int, now: float) -> bool:
        rate, burst = self.limits.bytes_per_second, self.limits.bytes_burst
        session.bytes_due, over = take(session.bytes_due, now, size, rate, burst)
        if over:
            self.end(session, rate_limited("bytes", max(_TOLD_TO_WAIT, over)), "It sent too many bytes.")
        return not over

    # --- routing

    def holds(self, device_id: DeviceId) -> bool:
        """LocalHub: whether the device's live session is here."""
        return self.has_live(device_id)

    def deliver(self, parcel: Parcel) -> None:
        """LocalHub: a signal for one of our devices, from this process or another."""
        session = self.sessions.get(DeviceId(parcel.device_id))
        if session is not None:
            self._exchange.signal(session, parcel)

    def now(self) -> float:
        """The clock of deadlines and rates: the event loop's seconds."""
        return self._now()

    def _patience(self) -> float:
        return self.limits.heartbeat_seconds * self.limits.heartbeats_missed


async def _cancel(services: Sequence[asyncio.Task[None]]) -> None:
    """End them all. A library in between may swallow one cancellation, so those that go on are told again."""
    left = set(services)
    while left:
        for service in left:
            service.cancel()
        _, left = await asyncio.wait(left, timeout=0.5)
        for service in left:
            log.warning("tunnel.cancelled_again", service=service.get_name())


def _departure(code: int) -> str:
    return (
        "The device closed the connection."
        if code in (CloseCode.NORMAL, CloseCode.GOING_AWAY)
        else "The connection was lost."
    )
