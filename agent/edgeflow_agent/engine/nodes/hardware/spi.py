"""spi: bytes there and back."""

from __future__ import annotations

from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError
from .claims import LONGEST, ask, need_board, poll, read_bytes, read_object, read_whole


class SpiConfig(NodeConfig):
    """`data` is what is sent when the node reads by itself, or when the message brings none."""

    bus: Annotated[int, Meta(title="Bus", ge=0)] = 0
    device: Annotated[int, Meta(title="Device", description="the chip-select line", ge=0)] = 0
    mode: Annotated[Literal[0, 1, 2, 3], Meta(title="Mode")] = 0
    speed: Annotated[int, Meta(title="Speed (Hz)", ge=1_000, le=125_000_000)] = 500_000
    data: Annotated[list[int | str], Meta(title="Bytes to send", examples=[[1, 128, 0]])] = msgspec.field(
        default_factory=list[int | str]
    )
    length: Annotated[
        int,
        Meta(title="At least so many bytes", description="zeros are sent after the data", ge=0, le=LONGEST),
    ] = 0
    poll_interval: Annotated[
        str | float, Meta(title="Transfer every (ms)", description="0: only when a message comes")
    ] = 0


class Spi(Node[SpiConfig]):
    """Sends bytes to a device and gives those that came back meanwhile (`payload.data`); the payload, a number or a
    list of bytes, or an object's `data` and `length`, win over the config."""

    type = "spi"
    category = "function"
    group = "hardware"
    Config = SpiConfig

    async def start(self) -> None:
        need_board(self)
        if self.config.data or self.config.length:
            self._data(None, self.config.length)
            poll(self, self.config.poll_interval, self._emit)
        elif self.config.poll_interval not in (0, "0", ""):
            raise NodeError("To read by itself it needs `data` to send, or a `length`.")

    async def receive(self, message: Message) -> None:
        message["payload"] = await self._do(read_object(message))
        self.send(message)

    async def _emit(self) -> None:
        self.send(new_message(await self._do({})))

    async def _do(self, given: dict[str, object]) -> dict[str, object]:
        config, board = self.config, self.lane.host.pins.board
        wanted = given.get("data", given.get("value"))
        data = self._data(wanted, read_whole(given.get("length", config.length), "length"))
        answer = cast(
            bytes, await ask(board.transfer_spi, config.bus, config.device, data, config.speed, config.mode)
        )
        self.status(f"{config.bus}.{config.device}: {answer[:8].hex(' ')}", "green")
        return {"bus": config.bus, "device": config.device, "sent": list(data), "data": list(answer)}

    def _data(self, wanted: object, length: int) -> bytes:
        if not 0 <= length <= LONGEST:
            raise NodeError(f"`length` must be 0 to {LONGEST}, not {length}.")
        given: object = self.config.data if wanted is None else wanted
        if given == []:
            if not length:
                raise NodeError("There is nothing to send: give `data`, or a `length`.")
            return bytes(length)
        return read_bytes(given).ljust(length, b"\0")
