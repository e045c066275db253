"""The way of commands to one device: so many in flight as its client can bear, first come first served.

A client that negotiated nothing answers each command in a thread of its own and writes without a lock: two
answers at once can kill it. So it gets one command at a time, and after one that was not answered in time
the lane stays closed for a while longer, since the answer may still be under way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from edgeflow_cloud.tunnel.model import DeviceAway, NoAnswer
from edgeflow_protocol import frames

LATE_ANSWER_SECONDS = 10.0


class Lane:
    """One device's lane. `send` writes a frame and says whether the connection took it."""

    __slots__ = ("_busy", "_closed", "_queue", "_send", "_size", "_waiting")

    def __init__(self, size: int, send: Callable[[frames.Command], bool]) -> None:
        self._size = size
        self._send = send
        self._busy = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._waiting: dict[str, asyncio.Future[frames.Response]] = {}
        self._closed = False

    @property
    def room(self) -> int:
        """How many commands could be sent at once now, without waiting for a turn."""
        return 0 if self._closed or self._queue else self._size - self._busy

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Turn]:
        """Wait for a place in the lane and hold it. Raises DeviceAway when the tunnel ends first.

        Take what is to be sent after the turn has come: then what was cancelled meanwhile is not sent.
        """
        await self._enter()
        turn = Turn(self)
        try:
            yield turn
        finally:
            if turn.unanswered and self._size == 1 and not self._closed:
                asyncio.get_running_loop().call_later(LATE_ANSWER_SECONDS, self._leave)
            else:
                self._leave()

    async def request(self, command: frames.Command, timeout: float) -> frames.Response:
        """Wait for a turn, send `command`, wait up to `timeout` seconds for its answer.

        Raises DeviceAway, NoAnswer, or FrameError for a command that is too large to be sent.
        """
        async with self.turn() as turn:
            return await turn.request(command, timeout)

    async def exchange(self, command: frames.Command, timeout: float) -> frames.Response:
        """What a Turn does with its place."""
        answer: asyncio.Future[frames.Response] = asyncio.get_running_loop().create_future()
        if self._closed:
            raise DeviceAway(sent=False)
        self._waiting[command.id] = answer
        try:
            if not self._send(command):
                raise DeviceAway(sent=False)
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise NoAnswer(f"The device did not answer within {timeout:g} seconds.") from None
        finally:
            if self._waiting.get(command.id) is answer:
                del self._waiting[command.id]

    def answer(self, response: frames.Response) -> bool:
        """Hand a response to whoever waits for it. False: nobody does (it is late, or made up)."""
        waiting = self._waiting.pop(response.id, None)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(response)
        return True

    def close(self) -> None:
        """The tunnel is gone: everybody who waits is told."""
        self._closed = True
        while self._queue:
            entry = self._queue.popleft()
            if not entry.done():
                entry.set_exception(DeviceAway(sent=False))
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(DeviceAway(sent=True))
        self._waiting.clear()

    async def _enter(self) -> None:
        if self._closed:
            raise DeviceAway(sent=False)
        if self._busy < self._size and not self._queue:
            self._busy += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._leave()  # the place was given in the same moment: hand it on
            raise

    def _leave(self) -> None:
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)  # the place changes hands; `_busy` stays
                return
        self._busy -= 1


class Turn:
    """A place in the lane, held for one command."""

    __slots__ = ("_lane", "unanswered")

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self.unanswered = False

    async def request(self, command: frames.Command, timeout: float) -> frames.Response:
        """Send `command` and wait up to `timeout` seconds. Raises DeviceAway, NoAnswer, FrameError."""
        try:
            return await self._lane.exchange(command, timeout)
        except NoAnswer:
            self.unanswered = True
            raise
