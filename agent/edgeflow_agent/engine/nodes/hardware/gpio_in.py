"""gpio-in: the level of a pin and its edges."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from msgspec import Meta

from ....pins import BoardError, Edge
from ...duration import read_duration
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError
from .claims import Claim, Pin, poll, read_pin

_MODES = {"none": "input", "up": "input_pullup", "down": "input_pulldown"}
_WAITING = 1000


class GpioInConfig(NodeConfig):
    """Field runtime's keys."""

    pin: Pin = -1
    pull_mode: Annotated[Literal["none", "up", "down"], Meta(title="Pull")] = "none"
    edge_mode: Annotated[
        Literal["rising", "falling", "both", "none"],
        Meta(title="Edge", description="none: only read when asked to, or every poll interval"),
    ] = "both"
    debounce: Annotated[
        str | float, Meta(title="Debounce (ms)", description="how long a level must hold", examples=[50])
    ] = 0
    glitch: Annotated[
        str | float | bool, Meta(title="Glitch filter (µs)", description="shorter levels are not seen")
    ] = 0
    interrupt_mode: Annotated[
        bool, Meta(title="Edges by interrupt", description="off: look every poll interval")
    ] = True
    poll_interval: Annotated[str | float, Meta(title="Look every (ms)")] = 100
    read_initial: Annotated[bool, Meta(title="Send the level at start")] = False


class GpioIn(Node[GpioInConfig]):
    """Sends `payload.pin`, `value` (0, 1) and `edge` (rising, falling, none) when a pin changes; a message reads it."""

    type = "gpio-in"
    category = "input"
    group = "hardware"
    Config = GpioInConfig
    _claim: Claim | None = None

    async def start(self) -> None:
        config = self.config
        self._told = 0.0
        claim = self._claim = Claim(self, read_pin(config.pin))
        self._edges: asyncio.Queue[Edge] = asyncio.Queue(_WAITING)
        mode = _MODES[config.pull_mode]
        debounce = self._debounce = max(read_duration(config.debounce, "ms"), _read_glitch(config.glitch))
        claim.take()
        self._board = board = claim.board
        try:
            if config.edge_mode != "none" and config.interrupt_mode:
                board.watch(config.pin, mode, config.edge_mode, debounce, self._take)
                self.spawn(self._pass_on())
            else:
                board.use(config.pin, mode)
            self._level = board.read(config.pin)
        except BoardError as error:
            raise NodeError(str(error)) from error
        self._show(self._level)
        if config.read_initial:
            self._send(self._level, "none")
        if config.edge_mode == "none" or not config.interrupt_mode:
            poll(self, config.poll_interval, self._look)

    async def stop(self) -> None:
        if self._claim is not None:
            self._claim.leave()

    def receive(self, message: Message) -> None:
        value = self._read()
        message["payload"] = {"pin": self.config.pin, "value": value, "edge": "none"}
        self.send(message)

    def _take(self, edge: Edge) -> None:
        """From the board. A pin that flutters faster than the flow works loses edges, not memory."""
        if self._edges.full():
            self._edges.get_nowait()
            self.dropped += 1
            if edge.time - self._told >= 1:
                self._told = edge.time
                self.error(
                    f"The pin {edge.pin} changes faster than the flow works: {self.dropped} edges are lost. "
                    "Give it a debounce."
                )
        self._edges.put_nowait(edge)

    async def _pass_on(self) -> None:
        while True:
            edge = await self._edges.get()
            await self.room()
            self._show(edge.value)
            self._send(edge.value, edge.name)

    async def _look(self) -> None:
        value, edge_mode = self._read(), self.config.edge_mode
        if edge_mode == "none":
            self._send(value, "none")
            return
        if value == self._level:
            return
        if self._debounce:
            await asyncio.sleep(self._debounce)
            if self._read() != value:
                return
        self._level = value
        edge = "rising" if value else "falling"
        self._show(value)
        if edge_mode in ("both", edge):
            self._send(value, edge)

    def _read(self) -> int:
        try:
            return self._board.read(self.config.pin)
        except BoardError as error:
            raise NodeError(str(error)) from error

    def _send(self, value: int, edge: str) -> None:
        self.send(new_message({"pin": self.config.pin, "value": value, "edge": edge}))

    def _show(self, value: int) -> None:
        self.status("high" if value else "low", "green" if value else "grey")


def _read_glitch(value: str | float | bool) -> float:
    """Seconds; only `true` is the 100 µs that a contact without load settles in."""
    if isinstance(value, bool):
        return 0.0001 if value else 0.0
    return read_duration(value, "us")
