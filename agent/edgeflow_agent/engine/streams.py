"""What the engine tells while it works: executions, debug values, statuses, errors and log lines."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import Literal

import msgspec

from .run import Execution

Kind = Literal["execution", "debug", "status", "log", "flow"]
BACKLOG = 1_000


class ExecutionEnded(msgspec.Struct, frozen=True, tag="execution"):
    """An execution is over (a flow's start too)."""

    execution: Execution


class DebugShown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="debug"):
    """A debug node's value, already JSON (cut to 8 KiB of text; `format` then says `cut`)."""

    time: datetime
    flow_id: str
    node_id: str
    name: str
    value: object
    format: str = ""
    topic: str = ""
    property: str = ""
    message_id: str = ""


class StatusShown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="status"):
    """The line under a node; `text` and `fill` empty: removed."""

    time: datetime
    flow_id: str
    node_id: str
    text: str = ""
    fill: str = ""
    shape: str = ""


class LogWritten(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="log"):
    """A line about a flow. `level`: debug, info, warning, error."""

    time: datetime
    level: str
    message: str
    flow_id: str = ""
    node_id: str = ""


class FlowChanged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="flow"):
    """A flow's status is another now: idle, running, stopped, error; or it was `removed`; or it is another version.

    `action`: created, updated, deleted, started, stopped. `added` and `removed` are nodes, by id, with their type.
    """

    time: datetime
    flow_id: str
    status: str
    action: str = ""
    name: str = ""
    error: str = ""
    added: dict[str, str] = {}
    removed: dict[str, str] = {}


Event = ExecutionEnded | DebugShown | StatusShown | LogWritten | FlowChanged
_KINDS: dict[type[Event], Kind] = {
    ExecutionEnded: "execution",
    DebugShown: "debug",
    StatusShown: "status",
    LogWritten: "log",
    FlowChanged: "flow",
}


class Subscription:
    """An async iterator over events. Holds at most `BACKLOG`; a slow reader loses the oldest: `lost` counts them."""

    def __init__(self, kinds: Iterable[Kind], end: Callable[[Subscription], None]) -> None:
        self.kinds = frozenset(kinds)
        self.lost = 0
        self._end = end
        self._events: deque[Event] = deque()
        self._ready = asyncio.Event()
        self._closed = False

    def close(self) -> None:
        """End the iteration after what is there."""
        self._closed = True
        self._end(self)
        self._ready.set()

    def put(self, event: Event) -> None:
        """For the engine."""
        if len(self._events) >= BACKLOG:
            self._events.popleft()
            self.lost += 1
        self._events.append(event)
        self._ready.set()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._events.popleft()


class Streams:
    """All subscriptions."""

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None
        """Called after a subscription begins or ends."""
        self._subscriptions: dict[Kind, list[Subscription]] = {kind: [] for kind in _KINDS.values()}

    def wanted(self, kind: Kind) -> bool:
        """Whether anybody listens: else nothing needs to be made."""
        return bool(self._subscriptions[kind])

    def subscribe(self, kinds: Iterable[Kind]) -> Subscription:
        """A new subscription to these kinds."""
        subscription = Subscription(kinds, self._remove)
        for kind in subscription.kinds:
            self._subscriptions[kind].append(subscription)
        self.changed()
        return subscription

    def put(self, event: Event) -> None:
        """Tell those who listen."""
        for subscription in self._subscriptions[_KINDS[type(event)]]:
            subscription.put(event)

    def close(self) -> None:
        """End all subscriptions."""
        for subscription in {each for all_ in self._subscriptions.values() for each in all_}:
            subscription.close()

    def _remove(self, subscription: Subscription) -> None:
        for kind in subscription.kinds:
            if subscription in self._subscriptions[kind]:
                self._subscriptions[kind].remove(subscription)
        self.changed()
