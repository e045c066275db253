"""gpio-out and relay: a pin that is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, cast

from msgspec import Meta

from ....pins import BoardError, read_level
from ...duration import read_duration
from ...message import Message
from ...node import Node, NodeConfig, NodeError
from .claims import Claim, Pin, read_pin

_KEYS = ("value", "state", "on", "payload")


class GpioOutConfig(NodeConfig):
    """Field runtime's keys."""

    pin: Pin = -1
    initial_value: Annotated[bool, Meta(title="At start")] = False
    invert: Annotated[bool, Meta(title="Inverted", description="on is low")] = False
    persist_state: Annotated[bool, Meta(title="Start with the last value")] = False
    state_file: Annotated[
        str, Meta(title="Keep it in the file", description="empty: with what the flow remembers")
    ] = ""
    drive_strength: Annotated[
        str | int,
        Meta(
            title="Drive strength (mA)",
            description="Linux lets no program set it; the node says where it is set",
        ),
    ] = ""
    failsafe_mode: Annotated[
        bool,
        Meta(title="Failsafe", description="when the flow stops, drive the failsafe value and stay there"),
    ] = False
    failsafe_value: Annotated[bool, Meta(title="Failsafe value")] = False


class RelayConfig(NodeConfig):
    """A relay that closes on low, as most boards' do, has `activeLow`."""

    pin: Pin = -1
    active_low: Annotated[bool, Meta(title="Closes on low")] = False
    initial_state: Annotated[bool, Meta(title="On at start")] = False
    pulse: Annotated[
        str | float, Meta(title="Pulse (ms)", description="turn off again after so long; 0: stay on")
    ] = 0


class Output:
    """A claimed output, on or off whatever its polarity is."""

    def __init__(self, node: Node[NodeConfig], pin: int, invert: bool) -> None:
        self.claim = Claim(node, pin)
        self._node, self._pin, self._invert = node, read_pin(pin), invert
        self.on = False

    def open(self, on: bool) -> None:
        """Take the pin, with its first value from the very start. Raises NodeError."""
        self.claim.take()
        self.on = on
        try:
            self.claim.board.use(self._pin, "output_high" if on != self._invert else "output_low")
        except BoardError as error:
            raise NodeError(str(error)) from error
        self._show()

    def write(self, on: bool) -> None:
        """Raises NodeError."""
        try:
            self.claim.board.write(self._pin, int(on != self._invert))
        except BoardError as error:
            raise NodeError(str(error)) from error
        self.on = on
        self._show()

    def decide(self, message: Message) -> bool:
        """What the message wants: payload, or its `value`, `state`, `on`. `toggle` is the other way round."""
        given = message.get("payload")
        if isinstance(given, dict):
            fields = cast("dict[str, object]", given)
            given = next((fields[key] for key in _KEYS if key in fields), None)
        if isinstance(given, str) and given.strip().lower() == "toggle":
            return not self.on
        level = read_level(given)
        if level is None:
            raise NodeError(
                f"The payload must be 0 or 1, true or false, on or off, or toggle (or an object with such a `value`), "
                f"not {given!r}."
            )
        return bool(level)

    def _show(self) -> None:
        self._node.status("on" if self.on else "off", "green" if self.on else "grey")


class GpioOut(Node[GpioOutConfig]):
    """Sets a pin to the payload (or its `value`, `state`, `on`); sends `payload.pin` and `value`."""

    type = "gpio-out"
    category = "output"
    group = "hardware"
    Config = GpioOutConfig
    _output: Output | None = None

    async def start(self) -> None:
        config = self.config
        self._output = Output(self, config.pin, config.invert)
        if config.drive_strength not in ("", 0, "0"):
            self.log(
                f"driveStrength {config.drive_strength} is not set: no program can. Set it where the board's pins are "
                "described, on a Raspberry Pi in config.txt or the device tree.",
                "warning",
            )
        kept = await self._recall() if config.persist_state else None
        self._output.open(config.initial_value if kept is None else kept)

    async def stop(self) -> None:
        output, config = self._output, self.config
        if output is None:
            return
        if config.failsafe_mode and output.claim.taken:
            output.write(config.failsafe_value)
        output.claim.leave(keep=config.failsafe_mode)

    def receive(self, message: Message) -> Awaitable[None] | None:
        config, output = self.config, cast(Output, self._output)
        output.write(output.decide(message))
        message["payload"] = {"pin": config.pin, "value": int(output.on)}
        if config.persist_state and config.state_file:
            return self._keep(Path(config.state_file), output.on, message)
        if config.persist_state:
            self.context.set("value", int(output.on))
        self.send(message)
        return None

    async def _keep(self, path: Path, on: bool, message: Message) -> None:
        """In a file of its own; the pin is set already, whatever the disk says."""
        try:
            await asyncio.to_thread(_write, path, b"1\n" if on else b"0\n")
        except OSError as error:
            self.error(f"The value is not kept: {path} cannot be written: {error.strerror}.", message)
        self.send(message)

    async def _recall(self) -> bool | None:
        if not self.config.state_file:
            kept = self.context.get("value")
            return bool(kept) if isinstance(kept, (int, bool)) else None
        path = Path(self.config.state_file)
        try:
            level = read_level((await asyncio.to_thread(path.read_bytes))[:64].decode(errors="replace"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NodeError(f"{path} cannot be read: {error.strerror}.") from None
        return None if level is None else bool(level)


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(data)
    beside.replace(path)


class Relay(Node[RelayConfig]):
    """Turns a relay on and off, or on for a pulse; sends `payload.pin`, `value` and `state` (on, off)."""

    type = "relay"
    category = "output"
    group = "hardware"
    Config = RelayConfig
    _output: Output | None = None
    _ending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        config = self.config
        self._pulse = read_duration(config.pulse, "ms")
        self._output = Output(self, config.pin, config.active_low)
        self._output.open(config.initial_state)

    async def stop(self) -> None:
        """A relay whose flow has stopped is off: nobody would turn it off any more."""
        output = self._output
        if output is not None and output.claim.taken:
            output.write(False)
            output.claim.leave(keep=self.config.active_low)  # A pin that is let go may fall low, which is on.

    def receive(self, message: Message) -> None:
        output = cast(Output, self._output)
        on = output.decide(message)
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        output.write(on)
        if on and self._pulse:
            self._ending = self.spawn(self._end(self.clone(message)))
        self._tell(message)

    async def _end(self, message: Message) -> None:
        await asyncio.sleep(self._pulse)
        self._ending = None
        cast(Output, self._output).write(False)
        self._tell(message)

    def _tell(self, message: Message) -> None:
        on = cast(Output, self._output).on
        message["payload"] = {"pin": self.config.pin, "value": int(on), "state": "on" if on else "off"}
        self.send(message)
