"""One listener's view of the bus: a bounded queue of messages from the channels that it joined."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the channel it came on, and its bytes."""

    channel: str
    data: bytes


class Membership(Protocol):
    """What a subscription asks of the bus."""

    async def join(self, subscription: "Subscription", channel: str) -> None: ...
    async def leave(self, subscription: "Subscription", channel: str) -> None: ...


class Subscription:
    """Iterate it for messages. Made by `Bus.subscribe`.

    Full means: the oldest message is dropped, `missed` grows, and `on_gap` is called, as it is after each
    reconnect: the listener must then assume that it has not heard everything (a console refetches, a hub
    reads its tables). `on_gap` is a plain function that returns at once; it runs on the event loop.
    """

    def __init__(self, membership: Membership, *, limit: int, on_gap: Callable[[], None] | None) -> None:
        self._membership = membership
        self._limit = limit
        self._on_gap = on_gap
        self._messages: deque[Message] = deque()
        self._ready = asyncio.Event()
        self._closed = False
        self.channels: set[str] = set()
        self.missed = 0

    async def add(self, channel: str) -> None:
        """Join `channel`. On return, what is published later is heard (or `on_gap` tells, if Valkey is
        away).
        """
        if channel not in self.channels:
            self.channels.add(channel)
            await self._membership.join(self, channel)

    async def remove(self, channel: str) -> None:
        """Leave `channel`; messages of it that already wait are still given."""
        if channel in self.channels:
            self.channels.discard(channel)
            await self._membership.leave(self, channel)

    async def close(self) -> None:
        """Leave every channel and end the iteration."""
        self._closed = True
        self._ready.set()
        for channel in list(self.channels):
            await self.remove(channel)

    def deliver(self, message: Message) -> None:
        """Called by the bus: keep `message` for the listener, at the cost of the oldest one if it is full."""
        if len(self._messages) >= self._limit:
            self._messages.popleft()
            self.gap()
        self._messages.append(message)
        self._ready.set()

    def gap(self) -> None:
        """Called by the bus: something may have been missed."""
        self.missed += 1
        if self._on_gap is not None:
            self._on_gap()

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        while not self._messages:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._messages.popleft()
