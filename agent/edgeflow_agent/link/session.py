"""One authenticated connection: a reader, a writer that alone writes, a heartbeat, and what is served
meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from edgeflow_protocol import FrameError, clock, decode_from_cloud, encode
from edgeflow_protocol.frames import CloudFrame, Connected, Drain, Error, Frame, Ping, Pong

from .backoff import Pace

_log = logging.getLogger(__name__)
_OUTGOING = 64
_LONGEST_DRAIN = 600.0
_SHORTEST_HEARTBEAT, _LONGEST_HEARTBEAT = 0.05, 3600.0

Receive = Callable[[CloudFrame], None]
Serve = Callable[["Session"], Awaitable[None]]


class LinkDown(Exception):
    """The frame was not sent: the tunnel is not connected (any more)."""


@dataclass(frozen=True, slots=True)
class Over:
    """Why this side ended the connection. `at_once`: nothing is wrong, the next one may come without a
    wait.
    """

    reason: str
    at_once: bool = False


class Session:
    """A tunnel that is in. `capabilities` are those both sides have; `send` queues at most 64 frames, then
    waits.
    """

    def __init__(
        self, connection: ClientConnection, connected: Connected, heartbeat: float, pace: Pace, dice: Random
    ) -> None:
        self.capabilities = frozenset(connected.capabilities)
        self.session_id = connected.session_id
        self.last_heard = datetime.now(UTC)
        there = clock.parse_time(connected.server_time)
        self.clock_offset = (self.last_heard - there).total_seconds() if there else 0.0
        """This device's clock less the cloud's, in seconds; 0 when the cloud did not say."""
        self.last_error: Error | None = None
        """A complaint without `id`, while nothing came after it: then it says why the connection ended."""
        self._connection = connection
        self._heartbeat = min(max(heartbeat, _SHORTEST_HEARTBEAT), _LONGEST_HEARTBEAT)
        self._pace = pace
        self._dice = dice
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue(_OUTGOING)
        self._heard = asyncio.Event()
        self._over: asyncio.Future[Over] = asyncio.get_running_loop().create_future()
        self._closed = False

    async def send(self, frame: Frame) -> None:
        """Queue the frame. Raises LinkDown when the connection is gone, FrameError when the frame is too
        large.
        """
        data = encode(frame)
        if self._closed:
            raise LinkDown
        await self._outgoing.put(data)
        if self._closed:
            raise LinkDown

    def end(self, reason: str) -> None:
        """Ask for a graceful end: what is queued is sent, then close code 1000."""
        self._finish(Over(reason, at_once=True))

    async def run(self, receive: Receive, serve: Serve) -> Over | None:
        """Work until the connection ends: None when the other side or the network ended it, else why we did.

        Afterwards `close_code` and `close_reason` of the connection say how.
        """
        tasks = [
            asyncio.create_task(self._read(receive), name="tunnel reader"),
            asyncio.create_task(self._write(), name="tunnel writer"),
            asyncio.create_task(self._beat(), name="tunnel heartbeat"),
            asyncio.create_task(self._attend(serve), name="tunnel session"),
        ]
        try:
            await asyncio.wait([self._over, *tasks], return_when=asyncio.FIRST_COMPLETED)
            if self._over.done():
                await self._flush()
        finally:
            self._closed = True
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            while not self._outgoing.empty():  # Frees whoever waits in `send`; they see that it is closed.
                self._outgoing.get_nowait()
        for outcome in ended:
            if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionClosed):
                raise outcome
        return self._over.result() if self._over.done() else None

    async def _read(self, receive: Receive) -> None:
        while True:
            data = await self._connection.recv(decode=False)
            self.last_heard = datetime.now(UTC)
            self._heard.set()
            try:
                frame = decode_from_cloud(data)
            except FrameError as error:
                _log.warning("The cloud sent a frame that was dropped: %s", error)
                continue
            self.last_error = None
            match frame:
                case Pong():
                    pass
                case Ping():
                    with contextlib.suppress(asyncio.QueueFull):
                        self._outgoing.put_nowait(encode(Pong()))
                case Drain(within=within):
                    self._drain(within)
                case Error(id=""):
                    self.last_error = frame
                    _log.warning("The cloud complains: %s", frame.error or frame.code)
                    receive(frame)
                case _:
                    receive(frame)

    async def _write(self) -> None:
        while True:
            data = await self._outgoing.get()
            await self._connection.send(data, text=True)
            self._outgoing.task_done()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat)
            self._heard.clear()
            # A full queue means that the line is stuck: then what counts is whether anything still comes in.
            with contextlib.suppress(asyncio.QueueFull):
                self._outgoing.put_nowait(encode(Ping()))
            try:
                async with asyncio.timeout(self._pace.pong):
                    await self._heard.wait()
            except TimeoutError:
                self._finish(Over(f"The cloud has not answered a ping for {self._pace.pong:g} s."))
                return

    async def _attend(self, serve: Serve) -> None:
        with contextlib.suppress(LinkDown):
            await serve(self)
        await asyncio.get_running_loop().create_future()

    def _drain(self, within: float) -> None:
        """Work on, and move to another line at a random moment, so that a hub's devices do not all move at
        once.
        """
        delay = self._dice.uniform(0.0, min(max(within, 0.0), _LONGEST_DRAIN))
        over = Over("The cloud asked its devices to reconnect.", at_once=True)
        _log.info("The cloud asked its devices to reconnect; doing so in %.1f s.", delay)
        asyncio.get_running_loop().call_later(delay, self._finish, over)

    def _finish(self, over: Over) -> None:
        if not self._over.done():
            self._over.set_result(over)

    async def _flush(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._outgoing.join()
