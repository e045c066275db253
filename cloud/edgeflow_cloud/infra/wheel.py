"""Deadlines of many sessions with one timer: a wheel of sets, one set a second."""

from __future__ import annotations

import math
from typing import Generic, Protocol, TypeVar


class Turning(Protocol):
    """What the wheel holds: an object with a slot of its own for the wheel's use."""

    wheel_slot: int


T = TypeVar("T", bound=Turning)
NOWHERE = -1


class Wheel(Generic[T]):
    """`put(item, at)`, then `due(now)` gives whoever's second has passed. Times are seconds of one clock.

    A deadline further away than `size` seconds comes early: the owner looks again and puts the item back.
    """

    def __init__(self, now: float, size: int = 256) -> None:
        self._slots: list[set[T]] = [set() for _ in range(size)]
        self._size = size
        self._turned = math.floor(now)

    def put(self, item: T, at: float) -> None:
        """Wake `item` in the second after `at`; an earlier wish of it is forgotten."""
        self.drop(item)
        second = min(max(math.floor(at) + 1, self._turned + 1), self._turned + self._size - 1)
        item.wheel_slot = second % self._size
        self._slots[item.wheel_slot].add(item)

    def drop(self, item: T) -> None:
        """Forget `item`."""
        if item.wheel_slot != NOWHERE:
            self._slots[item.wheel_slot].discard(item)
            item.wheel_slot = NOWHERE

    def due(self, now: float) -> list[T]:
        """Everybody whose time has come, taken out of the wheel."""
        second = math.floor(now)
        turns = min(second - self._turned, self._size)
        found: list[T] = []
        for turn in range(turns):
            slot = self._slots[(second - turns + 1 + turn) % self._size]
            for item in slot:
                item.wheel_slot = NOWHERE
            found.extend(slot)
            slot.clear()
        self._turned = max(self._turned, second)
        return found
