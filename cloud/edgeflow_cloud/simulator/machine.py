"""What every simulated device does: dial, say who it is, beat, be lost, come back, crash.

A device is a small object with timers of the event loop; it has a task only while it dials or asks over REST.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import ClassVar

from edgeflow_cloud.simulator.credentials import Credentials
from edgeflow_cloud.simulator.faults import HEALTHY, Ailments
from edgeflow_cloud.simulator.line import ABNORMAL, DialFailed, Line
from edgeflow_cloud.simulator.pace import Backoff
from edgeflow_cloud.simulator.surroundings import Surroundings
from edgeflow_protocol import FrameError, decode_from_cloud, encode, frames
from edgeflow_protocol.capabilities import HEARTBEAT_INTERVAL_SECONDS
from edgeflow_protocol.closing import CloseCode

_PING = encode(frames.Ping())
_PONG = encode(frames.Pong())
_SLOW = frozenset({CloseCode.BAD_CREDENTIALS, CloseCode.SUSPENDED, CloseCode.REPLACED, CloseCode.TOO_MANY})


class Device:
    """One device. `start`, then it lives until `stop` or `kill`. Subclasses speak: agent.py, field.py."""

    profile: ClassVar[str]

    __slots__ = (
        "_asked_at",
        "_beat",
        "_born",
        "_counted",
        "_crash",
        "_heard",
        "_next",
        "_patience",
        "ailments",
        "around",
        "backoff",
        "boot_id",
        "credentials",
        "dice",
        "entered_at",
        "heartbeat",
        "is_in",
        "line",
        "refusal",
        "stopping",
    )

    def __init__(
        self, around: Surroundings, credentials: Credentials, ailments: Ailments, dice: Random
    ) -> None:
        self.around = around
        self.credentials = credentials
        self.ailments = ailments
        self.dice = dice
        self.backoff = Backoff(around.pace, dice)
        self.boot_id = secrets.token_hex(8)
        self.line: Line | None = None
        self.is_in = False
        self.entered_at = 0.0
        self.heartbeat = HEARTBEAT_INTERVAL_SECONDS
        self.refusal: frames.Error | None = None
        self.stopping = False
        self._asked_at = 0.0
        self._heard = 0.0
        self._born = time.monotonic()
        self._counted = False
        self._next: asyncio.TimerHandle | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._crash: asyncio.TimerHandle | None = None
        self._patience: asyncio.TimerHandle | None = None

    @property
    def device_id(self) -> str:
        """`dev_…`."""
        return self.credentials.device_id

    @property
    def uptime(self) -> float:
        """Seconds since it was switched on."""
        return time.monotonic() - self._born

    def now(self) -> datetime:
        """What its clock says."""
        return datetime.now(UTC) + timedelta(seconds=self.ailments.skew)

    # --- life

    def start(self, after: float = 0.0) -> None:
        """Switch it on; it dials `after` seconds from now."""
        self._plan(after)
        if self.ailments.crash:
            wait = self.dice.expovariate(1.0 / self.ailments.crash)
            self._crash = asyncio.get_running_loop().call_later(wait, self.crash)

    def stop(self) -> None:
        """A graceful end: close code 1000, no more attempts."""
        self.stopping = True
        self._cancel_timers()
        if self.line is not None:
            self.line.close(1000)

    def kill(self) -> None:
        """The power goes, for good."""
        self.stopping = True
        self._cut()

    def recover(self) -> None:
        """Be healthy from now on."""
        self.ailments = HEALTHY
        if self._crash is not None:
            self._crash.cancel()
            self._crash = None
        if self.line is not None:
            self.line.recover()

    def crash(self) -> None:
        """It dies and starts again: what it had on disk is still there, its boot is a new one."""
        self.around.tally.crashes += 1
        self._cut()
        self.boot_id = secrets.token_hex(8)
        self._born = time.monotonic()
        self.backoff.reset()
        self.restarted()
        if not self.stopping:
            self.start(self.dice.uniform(0.0, self.around.pace.boot))

    def _cut(self) -> None:
        line, self.line = self.line, None
        self._cancel_timers()
        if line is not None:
            line.abort()
        if self.is_in:
            self._left(ABNORMAL)

    def reconnect(self, after: float = 0.0) -> None:
        """End what there is and dial again, as when the cloud asked for it."""
        line, self.line = self.line, None
        if line is not None:
            line.close(1000)
        if self.is_in:
            self._left(1000)
        if not self.stopping:
            self._plan(after)

    # --- what subclasses say

    def hello(self) -> frames.Connect:
        """The first frame."""
        raise NotImplementedError

    def welcomed(self, connected: frames.Connected) -> None:
        """It is in."""

    def take(self, frame: frames.CloudFrame) -> None:
        """A frame that is neither heartbeat nor drain."""

    def lost(self) -> None:
        """It was in and is out."""

    def restarted(self) -> None:
        """After a crash: forget what was in memory only."""

    def wait(self, code: int, refusal: frames.Error | None) -> float | None:
        """Seconds until the next attempt after a connection ended; None: never again."""
        if refusal is not None and refusal.retry_after > 0:
            return self.backoff.next_after(refusal.retry_after)
        return self.backoff.next_slow() if code in _SLOW else self.backoff.next()

    # --- one connection

    def _plan(self, after: float | None) -> None:
        if after is None:
            self.around.tally.gave_up += 1
            return
        self._next = asyncio.get_running_loop().call_later(after, self._begin)

    def _begin(self) -> None:
        self._next = None
        if not self.stopping:
            self.around.spawn(self._dial())

    async def _dial(self) -> None:
        around = self.around
        around.tally.attempts += 1
        around.watch.attempted(self.device_id)
        began = time.monotonic()
        self.refusal = None
        try:
            line = await Line.dial(
                around.tunnel,
                self,
                ailments=self.ailments,
                dice=self.dice,
                timeout=around.pace.handshake,
                tls=around.tls,
            )
        except DialFailed:
            around.tally.dial_failures += 1
            if not self.stopping and self._next is None:
                self._plan(self.wait(0, None))
            return
        if self.stopping or self.line is not None or self._next is not None:
            line.abort()  # it crashed, or was stopped, while it dialled
            return
        self.line = line
        self._asked_at = began
        line.send(encode(self.hello()))
        self._patience = asyncio.get_running_loop().call_later(around.pace.handshake, self._give_up, line)

    def _give_up(self, line: Line) -> None:
        """No answer to `connect`, or to a ping."""
        if self.line is line:
            line.abort()
            self.closed(line, ABNORMAL)

    def received(self, line: Line, message: bytes) -> None:
        """Holder: a message."""
        if line is not self.line:
            return
        self._heard = time.monotonic()
        try:
            frame = decode_from_cloud(message)
        except FrameError:
            self.around.tally.complaints += 1
            return
        if not self.is_in:
            if isinstance(frame, frames.Connected):
                self._enter(frame)
            elif isinstance(frame, frames.Error):
                self.refusal = frame
            return
        match frame:
            case frames.Pong():
                self._answered()
            case frames.Ping():
                line.send(_PONG)
            case frames.Drain(within=within):
                self.around.tally.drains += 1
                self.around.watch.drained(self.device_id, within)
                self._move(within)
            case frames.Error(id=""):
                self.refusal = frame
                self.around.tally.complaints += 1
                self.take(frame)
            case _:
                self.take(frame)

    def closed(self, line: Line, code: int) -> None:
        """Holder: the socket is gone."""
        if line is not self.line:
            return
        self.line = None
        around = self.around
        around.tally.closes[code] += 1
        if self.refusal is not None and self.refusal.code:
            around.tally.refusals[self.refusal.code] += 1
        lived = time.monotonic() - self.entered_at if self.is_in else 0.0
        if self.is_in:
            self._left(code)
        self._cancel_patience()
        if lived >= around.pace.stable:
            self.backoff.reset()
        if not self.stopping and self._next is None:
            self._plan(self.wait(code, self.refusal))

    def _enter(self, connected: frames.Connected) -> None:
        around, now = self.around, time.monotonic()
        self._cancel_patience()
        self.is_in = True
        self.entered_at = now
        tally = around.tally
        tally.connected += 1
        tally.connects += 1
        if self._counted:
            tally.reconnects += 1
        else:
            self._counted = True
            tally.ever_in += 1
        tally.connect_latency.add(now - self._asked_at)
        around.watch.came(self.device_id, now - self._asked_at)
        self.heartbeat = around.pace.heartbeat or connected.heartbeat_interval or HEARTBEAT_INTERVAL_SECONDS
        # The first beat comes somewhere in the first interval: those that came together do not beat together.
        self._schedule_beat(self.dice.uniform(0.0, self.heartbeat))
        self.welcomed(connected)
        if self.ailments.stalls and self.line is not None:
            tally.stalled += 1
            self.line.stall()

    def _left(self, code: int) -> None:
        self.is_in = False
        self.around.tally.connected -= 1
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        self.around.watch.went(self.device_id, code)
        self.lost()

    def _move(self, within: float) -> None:
        """Drain: work on, and go to another line at a random moment."""
        spread = min(max(within, 0.0), 600.0)
        wait = self.dice.uniform(0.0, spread) if self.around.pace.jitter else spread
        line = self.line

        def go() -> None:
            if self.line is line and not self.stopping:
                self.backoff.reset()
                self.reconnect()

        asyncio.get_running_loop().call_later(wait, go)

    # --- heartbeat

    def _schedule_beat(self, after: float) -> None:
        self._beat = asyncio.get_running_loop().call_later(after, self._ping)

    def _ping(self) -> None:
        line = self.line
        if line is None or not self.is_in:
            return
        self.around.tally.pings += 1
        line.send(_PING)
        if self._patience is None and not self.ailments.stalls:
            self._asked_at = time.monotonic()
            self._patience = asyncio.get_running_loop().call_later(
                self.around.pace.pong, self._check, line, self._asked_at
            )
        self._schedule_beat(self.heartbeat)

    def _check(self, line: Line, since: float) -> None:
        if self._heard < since:
            self._give_up(line)

    def _answered(self) -> None:
        self.around.tally.pongs += 1
        if self._patience is not None:
            self._cancel_patience()
            seconds = time.monotonic() - self._asked_at
            self.around.tally.pong_latency.add(seconds)
            self.around.watch.beat(self.device_id, seconds)

    def _cancel_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _cancel_timers(self) -> None:
        self._cancel_patience()
        for timer in (self._next, self._beat, self._crash):
            if timer is not None:
                timer.cancel()
        self._next = self._beat = self._crash = None
