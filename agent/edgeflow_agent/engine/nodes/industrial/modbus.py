"""modbus-tcp: registers and coils of a machine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, cast

from msgspec import Meta

from ...duration import read_duration
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient
    from pymodbus.pdu import ModbusPDU

_READS = {
    "read_coils": "coils",
    "read_discrete_inputs": "discrete",
    "read_holding_registers": "holding",
    "read_input_registers": "input",
}
_WRITES = ("write_coil", "write_coils", "write_register", "write_registers")
DataType = Literal["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "string"]


class ModbusConfig(NodeConfig):
    """Addresses count from 0, as on the wire."""

    host: Annotated[str, Meta(title="Host")] = "localhost"
    port: Annotated[int, Meta(title="Port", ge=1, le=65535)] = 502
    unit_id: Annotated[int, Meta(title="Unit", ge=0, le=255)] = 1
    function: Annotated[str, Meta(title="Do", examples=[*_READS, *_WRITES])] = "read_holding_registers"
    address: Annotated[int, Meta(title="Address", ge=0, le=65535)] = 0
    quantity: Annotated[int, Meta(title="How many registers or coils", ge=1, le=2000)] = 1
    data_type: Annotated[DataType, Meta(title="Type of the values")] = "uint16"
    word_order: Annotated[Literal["big", "little"], Meta(title="Order of registers")] = "big"
    scale: Annotated[float, Meta(title="Factor")] = 1.0
    poll_interval: Annotated[
        str | float, Meta(title="Read every (ms)", description="0: only when a message comes")
    ] = 0
    timeout: Annotated[float, Meta(title="Time limit (seconds)", gt=0, le=60)] = 3.0


class ModbusTcp(Node[ModbusConfig]):
    """Reads registers (`payload.values`, `payload.value` the first) or writes the payload; `address`, `quantity`,
    `function` of an object payload win."""

    type = "modbus-tcp"
    category = "function"
    group = "industrial"
    Config = ModbusConfig

    async def start(self) -> None:
        from pymodbus.client import AsyncModbusTcpClient

        self._client: AsyncModbusTcpClient | None = None
        config = self.config
        if config.function not in (*_READS, *_WRITES):
            raise NodeError(
                f"{config.function!r} is nothing to do. Use one of {', '.join((*_READS, *_WRITES))}."
            )
        self._lock = asyncio.Lock()
        self._client = AsyncModbusTcpClient(
            config.host, port=config.port, timeout=config.timeout, retries=1, reconnect_delay=0
        )
        seconds = read_duration(config.poll_interval, "ms")
        if seconds:
            self.spawn(self._poll(max(0.05, seconds)))

    async def stop(self) -> None:
        if self._client is not None:
            self._client.close()

    async def receive(self, message: Message) -> None:
        given = message.get("payload")
        order = cast("dict[str, object]", given) if isinstance(given, dict) else {"value": given}
        message["payload"] = await self._do(order)
        self.send(message)

    async def _poll(self, seconds: float) -> None:
        while True:
            await self.room()
            try:
                self.send(new_message(await self._do({})))
            except NodeError as error:
                self.error(error)
            await asyncio.sleep(seconds)

    async def _do(self, order: dict[str, object]) -> dict[str, object]:
        from pymodbus.exceptions import ModbusException

        config = self.config
        function = str(order.get("function") or config.function)
        address, quantity = (
            _int(order.get("address"), config.address),
            _int(order.get("quantity"), config.quantity),
        )
        async with self._lock:  # One question at a time: answers of a slow machine must not be mixed up.
            client = await self._open()
            try:
                if function in _READS:
                    answer = await self._read(client, function, address, quantity)
                    values = self._decode(client, function, answer)
                    found = cast("list[object]", values) if isinstance(values, list) else [values]
                    return {
                        "value": found[0] if found else None,
                        "values": values,
                        "address": address,
                        "function": function,
                    }
                if function in _WRITES:
                    value = order.get("values", order.get("value"))
                    await self._write(client, function, address, value)
                    return {"written": value, "address": address, "function": function}
            except (ModbusException, OSError, TimeoutError) as error:
                client.close()
                raise NodeError(f"{config.host}:{config.port} does not answer: {error}.") from None
        raise NodeError(f"{function!r} is nothing to do. Use one of {', '.join((*_READS, *_WRITES))}.")

    async def _open(self) -> AsyncModbusTcpClient:
        client, config = self._client, self.config
        if client is None:
            raise NodeError("The node has stopped.")
        if not client.connected and not await client.connect():
            self.status("disconnected", "red", "ring")
            raise NodeError(f"{config.host}:{config.port} cannot be reached.")
        self.status("connected", "green")
        return client

    async def _read(
        self, client: AsyncModbusTcpClient, function: str, address: int, quantity: int
    ) -> ModbusPDU:
        unit = self.config.unit_id
        if function == "read_coils":
            answer = await client.read_coils(address, count=quantity, device_id=unit)
        elif function == "read_discrete_inputs":
            answer = await client.read_discrete_inputs(address, count=quantity, device_id=unit)
        elif function == "read_input_registers":
            answer = await client.read_input_registers(address, count=quantity, device_id=unit)
        else:
            answer = await client.read_holding_registers(address, count=quantity, device_id=unit)
        _check(answer)
        answer.bits = answer.bits[:quantity]
        return answer

    def _decode(self, client: AsyncModbusTcpClient, function: str, answer: ModbusPDU) -> object:
        if function in ("read_coils", "read_discrete_inputs"):
            return list(answer.bits)
        kind = _kind(client, self.config.data_type)
        registers, width = answer.registers, max(1, kind.value[1])
        if self.config.data_type == "string":
            return str(client.convert_from_registers(registers, kind)).rstrip("\0")
        if len(registers) % width:
            raise NodeError(f"{self.config.data_type} takes {width} registers; {len(registers)} were read.")
        groups = [registers[at : at + width] for at in range(0, len(registers), width)]
        found = [
            client.convert_from_registers(group, kind, word_order=self.config.word_order) for group in groups
        ]
        scale = self.config.scale
        return [
            value * scale if scale != 1.0 and isinstance(value, (int, float)) else value for value in found
        ]

    async def _write(self, client: AsyncModbusTcpClient, function: str, address: int, value: object) -> None:
        unit = self.config.unit_id
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        if any(not isinstance(each, (bool, int, float, str)) for each in values):
            raise NodeError("There is nothing to write. Give a number, a boolean, a text, or a list of them.")
        if function in ("write_coil", "write_coils"):
            bits = [bool(each) for each in values]
            answer = (
                await client.write_coils(address, bits, device_id=unit)
                if len(bits) > 1
                else (await client.write_coil(address, bits[0], device_id=unit))
            )
        else:
            registers = self._encode(client, values)
            if len(registers) == 1 and function == "write_register":
                answer = await client.write_register(address, registers[0], device_id=unit)
            else:
                answer = await client.write_registers(address, registers, device_id=unit)
        _check(answer)

    def _encode(self, client: AsyncModbusTcpClient, values: Sequence[object]) -> list[int]:
        kind, scale, whole = _kind(client, self.config.data_type), self.config.scale, self.config.data_type
        registers: list[int] = []
        for value in values:
            if isinstance(value, (bool, int, float)):
                number = value / scale if scale != 1.0 else value
                wanted: int | float | str = float(number) if whole.startswith("float") else round(number)
            else:
                wanted = str(value)
            try:
                registers += client.convert_to_registers(wanted, kind, word_order=self.config.word_order)
            except Exception as error:  # struct.error, TypeError and pymodbus's own, all about one value
                raise NodeError(f"{value!r} is no {whole}: {error}.") from None
        return registers


def _kind(client: AsyncModbusTcpClient, name: DataType) -> AsyncModbusTcpClient.DATATYPE:
    return client.DATATYPE[name.upper()]


def _check(answer: ModbusPDU) -> None:
    if answer.isError():
        raise NodeError(
            f"The machine refused: {_REFUSALS.get(getattr(answer, 'exception_code', 0), str(answer))}."
        )


_REFUSALS = {
    1: "it does not know this function",
    2: "it has no such address",
    3: "it does not take this value",
    4: "it has a fault",
    6: "it is busy",
}


def _int(value: object, default: int) -> int:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default
