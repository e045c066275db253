"""serial-in and serial-out: a serial port's lines."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast

from msgspec import Meta

from ...duration import read_duration
from ...javalike import to_text
from ...message import Message, new_message
from ...node import Node, NodeError
from .serial_port import SerialConfig, SerialPort

_WAITING = 1_000
_LONGEST = 64 * 1024


class SerialInConfig(SerialConfig):
    """The field runtime's keys, and where one message ends."""

    delimiter: Annotated[
        str, Meta(title="A message ends with", description="\\n: a line; empty: whatever comes at once")
    ] = "\\n"
    binary: Annotated[bool, Meta(title="Bytes instead of text")] = False
    node_red: Annotated[bool, Meta(extra_json_schema={"hidden": True})] = False


class SerialIn(Node[SerialInConfig]):
    """Sends what a serial port says, a line each: `payload.data`, or the payload itself in a flow of Node-RED."""

    type = "serial-in"
    category = "input"
    group = "network"
    inputs = 0
    Config = SerialInConfig

    async def start(self) -> None:
        self._delimiter = _unescape(self.config.delimiter)
        self._rest = bytearray()
        self._lines: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._port = SerialPort.join(cast("Node[SerialConfig]", self), self._hear)
        self.spawn(self._pass_on())

    async def stop(self) -> None:
        if (port := getattr(self, "_port", None)) is not None:
            await port.leave(self)

    def _hear(self, data: bytes) -> None:
        if not self._delimiter:
            self._take(data)
            return
        *lines, rest = (self._rest + data).split(self._delimiter)
        self._rest = bytearray(rest)
        for line in lines:
            self._take(bytes(line.removesuffix(b"\r") if self._delimiter == b"\n" else line))
        if len(self._rest) > _LONGEST:
            self._rest.clear()
            self.error(
                f"{_LONGEST >> 10} KiB came without {self.config.delimiter!r}; they are dropped. Check the baud rate "
                "and what a message ends with."
            )

    def _take(self, line: bytes) -> None:
        """A port that says more than the flow takes loses the oldest, not memory."""
        if self._lines.full():
            self._lines.get_nowait()
            self.dropped += 1
            if self.dropped % _WAITING == 1:
                self.error(
                    f"The port says more than the flow takes: {self.dropped} messages are lost so far."
                )
        self._lines.put_nowait(line)

    async def _pass_on(self) -> None:
        while True:
            line = await self._lines.get()
            await self.room()
            value: object = line if self.config.binary else line.decode(errors="replace")
            self.send(new_message(value if self.config.node_red else {"data": value}, port=self.config.port))


class SerialOutConfig(SerialConfig):
    """The field runtime's keys."""

    add_newline: Annotated[bool, Meta(title="A line for each")] = False
    add_text: Annotated[str, Meta(title="Text after each", examples=["\\r"])] = ""
    timeout: Annotated[str | float, Meta(title="Wait for the device (seconds)")] = 2


class SerialOut(Node[SerialOutConfig]):
    """Writes the payload (`payload.data` or `payload.send` of a field flow) to a serial port: text, or bytes."""

    type = "serial-out"
    category = "output"
    group = "network"
    outputs = 0
    Config = SerialOutConfig

    async def start(self) -> None:
        self._after = _unescape(self.config.add_text) + (b"\n" if self.config.add_newline else b"")
        self._seconds = read_duration(self.config.timeout, "seconds")
        self._port = SerialPort.join(cast("Node[SerialConfig]", self))

    async def stop(self) -> None:
        if (port := getattr(self, "_port", None)) is not None:
            await port.leave(self)

    async def receive(self, message: Message) -> None:
        await self._port.write(_bytes(message) + self._after, self._seconds)


def _bytes(message: Message) -> bytes:
    payload = message.get("payload")
    if isinstance(payload, dict):
        fields = cast("dict[str, object]", payload)
        payload = fields.get("send", fields.get("data", fields))
    if isinstance(payload, list):
        try:
            return bytes(cast("list[int]", payload))
        except (TypeError, ValueError):
            raise NodeError("A list must be one of bytes: numbers from 0 to 255.") from None
    return payload if isinstance(payload, bytes) else ("" if payload is None else to_text(payload)).encode()


def _unescape(text: str) -> bytes:
    for written, meant in (("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\0", "\0")):
        text = text.replace(written, meant)
    return text.encode("latin-1", "replace")
