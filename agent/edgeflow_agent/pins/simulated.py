"""A board in memory: for trying things out without one, and for tests. A jumper wires pin 26 to pin 19: what is written
to the one is read at the other."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

import msgspec

from .board import INPUTS, MODES, OUTPUTS, BoardError, Climate, Edge, Edges, PinState, Pwm

THERMOMETER = "28-000005e2fdc3"
I2C_ADDRESS = 0x48
_JUMPER = {26: 19}


class SimulatedBoard:
    """28 pins. Inputs float low, pulled-up ones read high. One I²C device of 256 registers at 0x48 of bus 1; SPI device
    0.0 says what it hears, 0.1 is an MCP3008 that measures `analog`. One thermometer and a DHT22 on every pin, around
    21 °C and 45 % in slow waves; tests set `temperatures` and `climates`.
    """

    name = "Simulated board"
    chip = "simulated"
    num_gpio, num_pwm, num_i2c, num_spi = 28, 4, 1, 2

    def __init__(self) -> None:
        self._pins: dict[int, PinState] = {}
        self._watchers: dict[int, _Watcher] = {}
        self.registers: dict[int, bytearray] = {I2C_ADDRESS: bytearray(256)}
        self.analog = [512] * 8
        self.temperatures: dict[str, float] = {}
        self.climates: dict[int, Climate] = {}

    def use(self, pin: int, mode: str) -> None:
        """See Board."""
        self._check(pin)
        if mode not in MODES:
            raise BoardError(f"The pin {pin} cannot be {mode!r}. Modes are {', '.join(MODES)}.")
        self._end_watch(pin)
        old = self._pins.get(pin)
        value = (
            old.value
            if old is not None and mode == "output"
            else int(mode in ("output_high", "input_pullup"))
        )
        self._pins[pin] = PinState(
            pin, mode, value, old.edge_count if old else 0, old.last_change if old else 0.0
        )
        self._follow(pin)

    def watch(self, pin: int, mode: str, edges: Edges, debounce: float, tell: Callable[[Edge], None]) -> None:
        """See Board."""
        if mode not in INPUTS:
            raise BoardError(f"The pin {pin} can be watched only as an input, not as {mode!r}.")
        self.use(pin, mode)
        self._watchers[pin] = _Watcher(pin, self.read(pin), edges, debounce, tell)

    def free(self, pin: int) -> None:
        """See Board."""
        self._end_watch(pin)
        self._pins.pop(pin, None)

    def read(self, pin: int) -> int:
        """See Board."""
        return self._find(pin).value

    def write(self, pin: int, value: int) -> None:
        """See Board."""
        if self._find(pin).mode not in OUTPUTS:
            raise BoardError(f"The pin {pin} is an input. Set its mode to output to write it.")
        self._set(pin, value)

    def drive(self, pin: int, value: int) -> None:
        """What is wired to an input does: for tests and demonstrations."""
        self._set(pin, value)

    def pins(self) -> list[PinState]:
        """See Board."""
        return [self._pins[pin] for pin in sorted(self._pins)]

    def drive_pwm(self, pin: int, wave: Pwm) -> None:
        """See Board."""
        self._check(pin)
        self._pins[pin] = PinState(
            pin, "pwm", int(wave.duty > 0), duty=wave.duty, frequency=wave.frequency, last_change=time.time()
        )

    def end_pwm(self, pin: int) -> None:
        """See Board."""
        self._pins.pop(pin, None)

    def read_i2c(self, bus: int, address: int, register: int | None, length: int) -> bytes:
        """See Board."""
        registers = self._device(bus, address)
        start = register or 0
        return bytes(registers[(start + offset) % 256] for offset in range(length))

    def write_i2c(self, bus: int, address: int, register: int | None, data: bytes) -> None:
        """See Board."""
        registers = self._device(bus, address)
        for offset, byte in enumerate(data):
            registers[((register or 0) + offset) % 256] = byte

    def transfer_spi(self, bus: int, device: int, data: bytes, speed: int, mode: int) -> bytes:
        """See Board."""
        if bus != 0 or device not in (0, 1):
            raise BoardError(f"There is no SPI device {bus}.{device} on this board; it has 0.0 and 0.1.")
        if device == 0:
            return data
        if len(data) < 3 or data[0] != 1 or not data[1] & 0x80:
            return bytes(len(data))
        value = self.analog[data[1] >> 4 & 7]
        return bytes((0, value >> 8 & 3, value & 0xFF)) + bytes(len(data) - 3)

    def list_thermometers(self) -> list[str]:
        """See Board."""
        return sorted(self.temperatures) or [THERMOMETER]

    def read_thermometer(self, sensor: str) -> float:
        """See Board."""
        if sensor not in self.list_thermometers():
            raise BoardError(
                f"There is no thermometer {sensor} on the one-wire bus; there is "
                f"{', '.join(self.list_thermometers())}."
            )
        return self.temperatures.get(sensor, round(21.0 + 2.0 * _wave(), 3))

    def read_climate(self, pin: int) -> Climate:
        """See Board."""
        self._check(pin)
        return self.climates.get(pin, Climate(round(21.0 + 2.0 * _wave(), 1), round(45.0 - 8.0 * _wave(), 1)))

    def _device(self, bus: int, address: int) -> bytearray:
        if bus != 1:
            raise BoardError(f"There is no I²C bus {bus} on this board; it has bus 1.")
        if address not in self.registers:
            raise BoardError(f"Nothing answers at the address 0x{address:02x} of the I²C bus {bus}.")
        return self.registers[address]

    def _check(self, pin: int) -> None:
        if not 0 <= pin < self.num_gpio:
            raise BoardError(f"There is no pin {pin} on this board; it has 0 to {self.num_gpio - 1}.")

    def _set(self, pin: int, value: int) -> None:
        old = self._find(pin)
        if old.value != value:
            self._pins[pin] = msgspec.structs.replace(
                old, value=value, edge_count=old.edge_count + 1, last_change=time.time()
            )
            if (watcher := self._watchers.get(pin)) is not None:
                watcher.see(value)
            self._follow(pin)

    def _follow(self, pin: int) -> None:
        """The jumper: its input gets the level of its output."""
        for source, sink in _JUMPER.items():
            driver, driven = self._pins.get(source), self._pins.get(sink)
            if pin not in (source, sink) or driver is None or driven is None:
                continue
            if driver.mode in OUTPUTS and driven.mode in INPUTS:
                self._set(sink, driver.value)

    def _end_watch(self, pin: int) -> None:
        if (watcher := self._watchers.pop(pin, None)) is not None:
            watcher.end()

    def _find(self, pin: int) -> PinState:
        found = self._pins.get(pin)
        if found is None:
            raise BoardError(f"The pin {pin} is not in use. Give it a mode first, for example output.")
        return found


class _Watcher:
    """Tells of edges of a level that held, as the kernel's debounce does."""

    def __init__(
        self, pin: int, value: int, edges: Edges, debounce: float, tell: Callable[[Edge], None]
    ) -> None:
        self._pin, self._told, self._edges = pin, value, edges
        self._debounce, self._tell = debounce, tell
        self._settling: asyncio.TimerHandle | None = None

    def see(self, value: int) -> None:
        self.end()
        if self._debounce <= 0:
            self._settle(value)
        elif value != self._told:
            self._settling = asyncio.get_running_loop().call_later(self._debounce, self._settle, value)

    def end(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

    def _settle(self, value: int) -> None:
        self._told = value
        edge = Edge(self._pin, value, time.time())
        if self._edges in ("both", edge.name):
            self._tell(edge)


def _wave() -> float:
    """-1 to 1, once in ten minutes."""
    return math.sin(time.time() * math.tau / 600)
