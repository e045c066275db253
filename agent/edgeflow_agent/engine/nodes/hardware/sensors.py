"""ds18b20 and dht: temperature and humidity."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from msgspec import Meta

from ....pins import Climate
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError
from .claims import Claim, Pin, ask, need_board, poll, read_pin

Unit = Annotated[Literal["celsius", "fahrenheit"], Meta(title="Unit")]
Interval = Annotated[
    str | float,
    Meta(title="Measure every (ms)", description="0: only when a message comes", examples=[10_000]),
]


class Ds18b20Config(NodeConfig):
    """`sensorId` as the one-wire bus has it; empty: the only one there is."""

    sensor_id: Annotated[str, Meta(title="Sensor", examples=["28-000005e2fdc3"])] = ""
    unit: Unit = "celsius"
    poll_interval: Interval = 0


class Ds18b20(Node[Ds18b20Config]):
    """Measures with a one-wire thermometer: `payload.temperature`, `unit`, `sensorId`."""

    type = "ds18b20"
    category = "input"
    group = "hardware"
    Config = Ds18b20Config

    async def start(self) -> None:
        await self._choose()
        poll(self, self.config.poll_interval, self._emit)

    async def receive(self, message: Message) -> None:
        message["payload"] = await self._measure()
        self.send(message)

    async def _emit(self) -> None:
        self.send(new_message(await self._measure()))

    async def _choose(self) -> str:
        known = cast("list[str]", await ask(self.lane.host.pins.board.list_thermometers))
        if self.config.sensor_id:
            return (
                self.config.sensor_id
            )  # It may be plugged in later; a measurement says when it is not there.
        if len(known) != 1:
            raise NodeError(
                f"There are several thermometers: {', '.join(known)}. Give 'sensorId'."
                if known
                else "There is no thermometer on the one-wire bus. Check its wires."
            )
        return known[0]

    async def _measure(self) -> dict[str, object]:
        sensor = await self._choose()
        celsius = cast(float, await ask(self.lane.host.pins.board.read_thermometer, sensor))
        shown = _convert(celsius, self.config.unit)
        self.status(f"{shown:g} °{self.config.unit[0].upper()}", "green")
        return {"temperature": shown, "unit": self.config.unit, "sensorId": sensor}


class DhtConfig(NodeConfig):
    """The kernel's driver tells a DHT11 from a DHT22 by itself; `sensorType` is for the reader."""

    pin: Pin = -1
    sensor_type: Annotated[str, Meta(title="Sensor", examples=["DHT22", "DHT11"])] = "DHT22"
    unit: Unit = "celsius"
    poll_interval: Interval = 0


class Dht(Node[DhtConfig]):
    """Measures with a DHT11 or DHT22: `payload.temperature`, `humidity` (percent), `unit`, `pin`."""

    type = "dht"
    category = "input"
    group = "hardware"
    Config = DhtConfig
    _claim: Claim | None = None

    async def start(self) -> None:
        self._claim = Claim(self, read_pin(self.config.pin))
        self._claim.take()
        need_board(self)
        poll(self, self.config.poll_interval, self._emit)

    async def stop(self) -> None:
        if self._claim is not None:
            self._claim.leave()

    async def receive(self, message: Message) -> None:
        message["payload"] = await self._measure()
        self.send(message)

    async def _emit(self) -> None:
        self.send(new_message(await self._measure()))

    async def _measure(self) -> dict[str, object]:
        climate = cast(Climate, await ask(self.lane.host.pins.board.read_climate, self.config.pin))
        shown = _convert(climate.temperature, self.config.unit)
        self.status(f"{shown:g} °{self.config.unit[0].upper()}, {climate.humidity:g} %", "green")
        return {
            "temperature": shown,
            "humidity": climate.humidity,
            "unit": self.config.unit,
            "pin": self.config.pin,
        }


def _convert(celsius: float, unit: str) -> float:
    return round(celsius * 9 / 5 + 32 if unit == "fahrenheit" else celsius, 3)
