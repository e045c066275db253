"""i2c: registers of a device on the bus."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from msgspec import Meta

from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError
from .claims import LONGEST, ask, need_board, poll, read_bytes, read_object, read_whole


class I2cConfig(NodeConfig):
    """An empty `register`: the device is read or written just so."""

    bus: Annotated[int, Meta(title="Bus", ge=0)] = 1
    address: Annotated[str | int, Meta(title="Address", examples=["0x48"])] = ""
    operation: Annotated[Literal["read", "write"], Meta(title="Do")] = "read"
    register: Annotated[str | int, Meta(title="Register", examples=["0x00"])] = ""
    length: Annotated[int, Meta(title="How many bytes to read", ge=1, le=LONGEST)] = 1
    poll_interval: Annotated[
        str | float, Meta(title="Read every (ms)", description="0: only when a message comes")
    ] = 0


class I2c(Node[I2cConfig]):
    """Reads bytes (`payload.data`, `payload.value` as one number, the first byte highest) or writes the payload, a
    number or a list of bytes; `address`, `register`, `length`, `operation` of an object payload win."""

    type = "i2c"
    category = "function"
    group = "hardware"
    Config = I2cConfig

    async def start(self) -> None:
        if self.config.address != "":
            _read_address(self.config.address)
        if self.config.register != "":
            _read_register(self.config.register)
        need_board(self)
        if self.config.operation == "read":
            poll(self, self.config.poll_interval, self._emit)

    async def receive(self, message: Message) -> None:
        message["payload"] = await self._do(read_object(message))
        self.send(message)

    async def _emit(self) -> None:
        self.send(new_message(await self._do({})))

    async def _do(self, given: dict[str, object]) -> dict[str, object]:
        config, board = self.config, self.lane.host.pins.board
        address = _read_address(given.get("address", config.address))
        wanted = given.get("register", config.register)
        register = None if wanted in ("", None) else _read_register(wanted)
        done: dict[str, object] = {"address": address, "register": register}
        if (operation := given.get("operation", config.operation)) == "write":
            data = read_bytes(given.get("data", given.get("value")))
            await ask(board.write_i2c, config.bus, address, register, data)
        elif operation == "read":
            length = read_whole(given.get("length", config.length), "length")
            if not 1 <= length <= LONGEST:
                raise NodeError(f"`length` must be 1 to {LONGEST}, not {length}.")
            data = cast(bytes, await ask(board.read_i2c, config.bus, address, register, length))
        else:
            raise NodeError(f"`operation` must be read or write, not {operation!r}.")
        self.status(f"0x{address:02x}: {data[:8].hex(' ')}", "green")
        return {**done, "data": list(data), "value": int.from_bytes(data, "big") if len(data) <= 8 else None}


def _read_address(value: object) -> int:
    if value == "":
        raise NodeError("'address' is missing: give the device's address, for example 0x48.")
    address = read_whole(value, "address")
    if not 0x03 <= address <= 0x77:
        raise NodeError(f"`address` must be 0x03 to 0x77, not 0x{address & 0xFFFF:02x}.")
    return address


def _read_register(value: object) -> int:
    register = read_whole(value, "register")
    if not 0 <= register <= 0xFF:
        raise NodeError(f"`register` must be 0 to 0xff, not {register}.")
    return register
