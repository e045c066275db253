"""Who watches over `/ws`, and what they are told: `{type, timestamp, data}`, as published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

_BACKLOG = 256
_LOOK_SECONDS = 0.2
MOST_WATCHERS = 16


class LiveFeed:
    """Hands frames to all watchers. A slow one loses the oldest, and nobody else anything."""

    def __init__(self) -> None:
        self.changed: Callable[[int], None] = _nobody
        """Told how many watch, when that changes."""
        self.pins: Callable[[], Mapping[str, object]] | None = None
        """The state of the pins, as `gpio/state` has it: told when it changes, while somebody watches."""
        self._watchers: set[asyncio.Queue[bytes]] = set()
        self._looking: asyncio.Task[None] | None = None

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def watch(self) -> asyncio.Queue[bytes]:
        """A queue of frames, until `leave`."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(_BACKLOG)
        self._watchers.add(queue)
        self.changed(len(self._watchers))
        if self.pins is not None and self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look(self.pins), name="pins")
        return queue

    def leave(self, queue: asyncio.Queue[bytes]) -> None:
        """Stop watching."""
        self._watchers.discard(queue)
        self.changed(len(self._watchers))
        if not self._watchers and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def tell(self, kind: str, data: Mapping[str, object]) -> None:
        """Tell all watchers; costs nothing while there are none."""
        if not self._watchers:
            return
        frame = msgspec.json.encode({"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data})
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(frame)

    async def _look(self, read: Callable[[], Mapping[str, object]]) -> None:
        told: object = None
        while True:
            state = read()
            if state.get("pins") != told:
                told = state.get("pins")
                self.tell("gpio_state", state)
            await asyncio.sleep(_LOOK_SECONDS)


def _nobody(watchers: int) -> None:
    """Nobody wants to know."""
    del watchers
