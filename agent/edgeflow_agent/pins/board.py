"""What a board must offer, and none at all. `simulated.py` and `gpiod_board.py` are boards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

INPUTS = ("input", "input_pullup", "input_pulldown")
OUTPUTS = ("output", "output_high", "output_low")
MODES = (*INPUTS, *OUTPUTS)

Edges = Literal["rising", "falling", "both"]


class BoardError(Exception):
    """The pin, bus or sensor cannot be used so. `str(error)` is a sentence."""


class PinState(msgspec.Struct, frozen=True):
    """One pin that is in use, by its BCM number. `last_change` is seconds since 1970, 0 while there was none. A pin
    with PWM has mode `pwm`, and `duty` (percent) and `frequency` (Hz)."""

    pin: int
    mode: str
    value: int
    edge_count: int = 0
    last_change: float = 0.0
    duty: float | None = None
    frequency: float | None = None


class Edge(msgspec.Struct, frozen=True):
    """An input changed to `value`, at `time` (seconds since 1970)."""

    pin: int
    value: int
    time: float

    @property
    def name(self) -> str:
        """`rising` or `falling`."""
        return "rising" if self.value else "falling"


class Climate(msgspec.Struct, frozen=True):
    """What a DHT sensor measured: degrees Celsius, percent of relative humidity."""

    temperature: float
    humidity: float


class Pwm(msgspec.Struct, frozen=True):
    """A square wave: `frequency` in Hz, `duty` in percent. `channel` -1: the one that belongs to the pin."""

    frequency: float
    duty: float
    chip: int = 0
    channel: int = -1


class Board(Protocol):
    """Pins by their BCM number, buses and sensors. Everything raises BoardError. What has to do with pins is called on
    the event loop and takes microseconds; PWM, I²C, SPI and sensors block, and are called in a
    thread.
    """

    name: str
    chip: str
    num_gpio: int
    num_pwm: int
    num_i2c: int
    num_spi: int

    def use(self, pin: int, mode: str) -> None:
        """Use the pin in one of `MODES`; `output_high` and `output_low` set its level too."""
        ...

    def watch(self, pin: int, mode: str, edges: Edges, debounce: float, tell: Callable[[Edge], None]) -> None:
        """Use the pin in one of `INPUTS`, and tell of its edges, on the event loop, until it is freed or used anew. An
        edge counts when the level has held for `debounce` seconds."""
        ...

    def free(self, pin: int) -> None:
        """Leave the pin; one that is not used is fine."""
        ...

    def read(self, pin: int) -> int:
        """Its level, 0 or 1."""
        ...

    def write(self, pin: int, value: int) -> None:
        """Set an output's level."""
        ...

    def pins(self) -> list[PinState]:
        """Those in use, by number."""
        ...

    def drive_pwm(self, pin: int, wave: Pwm) -> None:
        """Put this wave on the pin, or change the one that is there."""
        ...

    def end_pwm(self, pin: int) -> None:
        """No wave any more; fine where there is none."""
        ...

    def read_i2c(self, bus: int, address: int, register: int | None, length: int) -> bytes:
        """So many bytes of a device, from a register on, or just what it says."""
        ...

    def write_i2c(self, bus: int, address: int, register: int | None, data: bytes) -> None:
        """Give a device bytes, from a register on, or just so."""
        ...

    def transfer_spi(self, bus: int, device: int, data: bytes, speed: int, mode: int) -> bytes:
        """Send a device bytes, at `speed` Hz in SPI mode 0 to 3; as many come back meanwhile."""
        ...

    def list_thermometers(self) -> list[str]:
        """The ids of the DS18B20 sensors on the one-wire bus, for example 28-000005e2fdc3."""
        ...

    def read_thermometer(self, sensor: str) -> float:
        """Its temperature in degrees Celsius; takes almost a second."""
        ...

    def read_climate(self, pin: int) -> Climate:
        """The DHT11 or DHT22 on this pin."""
        ...


class NoBoard:
    """A machine without pins. Every use says so."""

    name = ""
    chip = ""
    num_gpio = num_pwm = num_i2c = num_spi = 0

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def use(self, pin: int, mode: str) -> None:
        """See Board."""
        raise BoardError(self.reason)

    def watch(self, pin: int, mode: str, edges: Edges, debounce: float, tell: Callable[[Edge], None]) -> None:
        """See Board."""
        raise BoardError(self.reason)

    def free(self, pin: int) -> None:
        """See Board."""

    def read(self, pin: int) -> int:
        """See Board."""
        raise BoardError(self.reason)

    def write(self, pin: int, value: int) -> None:
        """See Board."""
        raise BoardError(self.reason)

    def pins(self) -> list[PinState]:
        """See Board."""
        return []

    def drive_pwm(self, pin: int, wave: Pwm) -> None:
        """See Board."""
        raise BoardError(self.reason)

    def end_pwm(self, pin: int) -> None:
        """See Board."""

    def read_i2c(self, bus: int, address: int, register: int | None, length: int) -> bytes:
        """See Board."""
        raise BoardError(self.reason)

    def write_i2c(self, bus: int, address: int, register: int | None, data: bytes) -> None:
        """See Board."""
        raise BoardError(self.reason)

    def transfer_spi(self, bus: int, device: int, data: bytes, speed: int, mode: int) -> bytes:
        """See Board."""
        raise BoardError(self.reason)

    def list_thermometers(self) -> list[str]:
        """See Board."""
        raise BoardError(self.reason)

    def read_thermometer(self, sensor: str) -> float:
        """See Board."""
        raise BoardError(self.reason)

    def read_climate(self, pin: int) -> Climate:
        """See Board."""
        raise BoardError(self.reason)


def read_level(value: object) -> int | None:
    """0 or 1 as people and programs write it; None for anything else."""
    if isinstance(value, str):
        return {"0": 0, "1": 1, "low": 0, "high": 1, "off": 0, "on": 1, "false": 0, "true": 1}.get(
            value.strip().lower()
        )
    if isinstance(value, (bool, int, float)) and value in (0, 1):
        return int(value)
    return None
