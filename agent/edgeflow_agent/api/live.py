"""Who watches over `/ws`, and what they are told: `{type, timestamp, data}`, as published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

_BACKLOG = 256
MOST_WATCHERS = 16


class LiveFeed:
    """Hands frames to all watchers. A slow one loses the oldest, and nobody else anything."""

    def __init__(self) -> None:
        self.changed: Callable[[int], None] = _nobody
        """Told how many watch, when that changes."""
        self._watchers: set[asyncio.Queue[bytes]] = set()

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def watch(self) -> asyncio.Queue[bytes]:
        """A queue of frames, until `leave`."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(_BACKLOG)
        self._watchers.add(queue)
        self.changed(len(self._watchers))
        return queue

    def leave(self, queue: asyncio.Queue[bytes]) -> None:
        """Stop watching."""
        self._watchers.discard(queue)
        self.changed(len(self._watchers))

    def tell(self, kind: str, data: Mapping[str, object]) -> None:
        """Tell all watchers; costs nothing while there are none."""
        if not self._watchers:
            return
        frame = msgspec.json.encode({"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data})
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(frame)


def _nobody(watchers: int) -> None:
    """Nobody wants to know."""
    del watchers
