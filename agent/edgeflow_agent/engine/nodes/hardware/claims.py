"""What hardware nodes share: a pin that is theirs while they run, and reading so often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, cast

from msgspec import Meta

from ....pins import Board, BoardError
from ...duration import read_duration
from ...message import Message
from ...node import Node, NodeConfig, NodeError

LONGEST = 1024
"""Bytes of one transfer over a bus."""
Pin = Annotated[int, Meta(title="Pin", description="its BCM number", ge=-1, le=999)]


class Claim:
    """A pin of one node's, from `take` to `leave`. BoardError becomes NodeError."""

    def __init__(self, node: Node[NodeConfig], pin: int) -> None:
        self._pins = node.lane.host.pins
        name = f"{node.name!r} ({node.id})" if node.name else node.id
        self._user = f"the node {name} of the flow {node.flow_id}"
        self._pin = pin
        self.taken = False

    @property
    def board(self) -> Board:
        """The device's board."""
        return self._pins.board

    def take(self) -> None:
        """Raises NodeError with who has it."""
        try:
            self._pins.claim(self._pin, self._user)
        except BoardError as error:
            raise NodeError(str(error)) from error
        self.taken = True

    def leave(self, *, keep: bool = False) -> None:
        """Give it back; `keep` leaves it driven as it is. Nothing if it was not taken."""
        if self.taken:
            self.taken = False
            self._pins.release(self._pin, self._user, keep=keep)


def read_pin(pin: int) -> int:
    """A node's `pin`; -1 is a config without one. Raises NodeError."""
    if pin < 0:
        raise NodeError("'pin' is missing: give the pin's BCM number, for example 17.")
    return pin


def need_board(node: Node[NodeConfig]) -> None:
    """Raises NodeError with the reason where the device has no board."""
    try:
        node.lane.host.pins.require()
    except BoardError as error:
        raise NodeError(str(error)) from error


async def ask(call: Callable[..., object], *arguments: object) -> object:
    """A blocking call of the board, in a thread. Raises NodeError."""
    try:
        return await asyncio.to_thread(call, *arguments)
    except BoardError as error:
        raise NodeError(str(error)) from error


def poll(node: Node[NodeConfig], interval: str | float, emit: Callable[[], Awaitable[None]]) -> None:
    """Call `emit` now and then every `interval` (ms); never, if it is 0. What it raises is the node's error, and the
    next time is another try."""
    seconds = read_duration(interval, "ms")
    if seconds > 0:
        node.spawn(_poll(node, max(0.01, seconds), emit))


async def _poll(node: Node[NodeConfig], seconds: float, emit: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    failing = ""
    while True:
        due = loop.time() + seconds
        try:
            await node.room()
            await emit()
            failing = ""
        except NodeError as error:
            if str(error) != failing:  # Said once, not every time, until it is another or over.
                node.error(error)
                node.status(str(error), "red", "ring")
            failing = str(error)
        await asyncio.sleep(due - loop.time())


def read_object(message: Message) -> dict[str, object]:
    """An object payload's keys, or the payload itself as `value`."""
    given = message.get("payload")
    return cast("dict[str, object]", given) if isinstance(given, dict) else {"value": given}


def read_number(value: object, name: str) -> float:
    """A finite number, as such or as text. Raises NodeError."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            pass
        else:
            if abs(number) < float("inf"):
                return number
    raise NodeError(f"`{name}` must be a number, not {value!r}.")


def read_whole(value: object, name: str) -> int:
    """A whole number; as text also hexadecimal, for example 0x48. Raises NodeError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        if isinstance(value, str):
            return int(value.strip(), 0)
    except ValueError:
        pass
    raise NodeError(f"`{name}` must be a whole number, for example 72 or 0x48, not {value!r}.")


def read_bytes(value: object) -> bytes:
    """1 to `LONGEST` bytes: as such, a list of numbers, or one number. Raises NodeError."""
    if isinstance(value, (bytes, bytearray)):
        data = bytes(value)
    else:
        items: Iterable[object] = cast("list[object]", value) if isinstance(value, list) else [value]
        numbers = [read_whole(item, "data") for item in items]
        if any(not 0 <= number <= 0xFF for number in numbers):
            raise NodeError("`data` must be bytes: numbers from 0 to 255.")
        data = bytes(numbers)
    if not 1 <= len(data) <= LONGEST:
        raise NodeError(f"`data` must have 1 to {LONGEST} bytes, not {len(data)}.")
    return data
