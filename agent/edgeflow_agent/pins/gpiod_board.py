"""The pins of a Linux board: the GPIO character device (gpiod), PWM, I²C and sensors as the kernel has them."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from . import spidev
from .board import INPUTS, MODES, OUTPUTS, BoardError, Climate, Edge, Edges, PinState, Pwm
from .sysfs import SysfsSensors

if TYPE_CHECKING:
    from gpiod import LineRequest, LineSettings

_CONSUMER = "edgeflow-agent"


class _Line(msgspec.Struct):
    request: LineRequest
    mode: str
    edges: int = 0
    changed: float = 0.0
    loop: asyncio.AbstractEventLoop | None = None


class GpiodBoard:
    """One GPIO chip; a pin's number is the line's offset, which on a Raspberry Pi is the BCM number. `system` is where
    /sys is."""

    def __init__(
        self,
        path: Path,
        label: str,
        lines: int,
        *,
        system: Path = Path("/sys"),
        devices: Path = Path("/dev"),
    ) -> None:
        self._path = path
        self._devices = devices
        self._sensors = SysfsSensors(system)
        self._lines: dict[int, _Line] = {}
        self._waves: dict[int, Pwm] = {}
        self.name = _model() or label or path.name
        self.chip = label or path.name
        self.num_gpio = lines
        self.num_pwm = self._sensors.count_pwm()
        self.num_i2c = len(list(devices.glob("i2c-*")))
        self.num_spi = len(list(devices.glob("spidev*")))

    # --- lines

    def use(self, pin: int, mode: str) -> None:
        """See Board."""
        old = self._lines.get(pin)
        level = self.read(pin) if old is not None and mode == "output" and old.mode in OUTPUTS else None
        self._request(pin, mode, self._settings(pin, mode, level))

    def watch(self, pin: int, mode: str, edges: Edges, debounce: float, tell: Callable[[Edge], None]) -> None:
        """See Board."""
        from gpiod.line import Edge as Detect

        if mode not in INPUTS:
            raise BoardError(f"The pin {pin} can be watched only as an input, not as {mode!r}.")
        settings = self._settings(pin, mode, None)
        settings.edge_detection = {"rising": Detect.RISING, "falling": Detect.FALLING, "both": Detect.BOTH}[
            edges
        ]
        settings.debounce_period = timedelta(seconds=debounce)
        line = self._request(pin, mode, settings)
        line.loop = asyncio.get_running_loop()
        line.loop.add_reader(line.request.fd, self._take_edges, pin, line, tell)

    def free(self, pin: int) -> None:
        """See Board."""
        line = self._lines.pop(pin, None)
        if line is not None:
            if line.loop is not None:
                line.loop.remove_reader(line.request.fd)
            line.request.release()

    def read(self, pin: int) -> int:
        """See Board."""
        try:
            return int(self._find(pin).request.get_value(pin).value)
        except OSError as error:
            raise BoardError(f"The pin {pin} cannot be read: {error.strerror or error}.") from error

    def write(self, pin: int, value: int) -> None:
        """See Board."""
        from gpiod.line import Value

        line = self._find(pin)
        if line.mode not in OUTPUTS:
            raise BoardError(f"The pin {pin} is an input. Set its mode to output to write it.")
        try:
            if int(line.request.get_value(pin).value) != value:
                line.request.set_value(pin, Value(value))
                line.edges, line.changed = line.edges + 1, time.time()
        except OSError as error:
            raise BoardError(f"The pin {pin} cannot be written: {error.strerror or error}.") from error

    def pins(self) -> list[PinState]:
        """See Board."""
        lines = [
            PinState(pin, line.mode, self.read(pin), line.edges, line.changed)
            for pin, line in self._lines.items()
        ]
        waves = [
            PinState(pin, "pwm", int(wave.duty > 0), duty=wave.duty, frequency=wave.frequency)
            for pin, wave in self._waves.items()
        ]
        return sorted(lines + waves, key=lambda state: state.pin)

    def _settings(self, pin: int, mode: str, level: int | None) -> LineSettings:
        from gpiod import LineSettings
        from gpiod.line import Bias, Direction, Value

        if not 0 <= pin < self.num_gpio:
            raise BoardError(f"There is no pin {pin} on this board; it has 0 to {self.num_gpio - 1}.")
        if mode not in MODES:
            raise BoardError(f"The pin {pin} cannot be {mode!r}. Modes are {', '.join(MODES)}.")
        if mode in OUTPUTS:
            high = mode == "output_high" or level == 1
            return LineSettings(
                direction=Direction.OUTPUT, output_value=Value.ACTIVE if high else Value.INACTIVE
            )
        bias = {"input": Bias.DISABLED, "input_pullup": Bias.PULL_UP, "input_pulldown": Bias.PULL_DOWN}[mode]
        return LineSettings(direction=Direction.INPUT, bias=bias)

    def _request(self, pin: int, mode: str, settings: LineSettings) -> _Line:
        import gpiod
        from gpiod.line import Bias

        self.free(pin)
        try:
            request = gpiod.request_lines(
                str(self._path), consumer=_CONSUMER, config={pin: settings}, event_buffer_size=256
            )
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP and mode == "input" and settings.bias is not Bias.AS_IS:
                settings.bias = Bias.AS_IS  # A chip without pulls, an expander: it floats anyway.
                return self._request(pin, mode, settings)
            reason = (
                "another program uses it (gpioinfo says which)"
                if error.errno == errno.EBUSY
                else error.strerror or str(error)
            )
            raise BoardError(f"The pin {pin} cannot be used as {mode}: {reason}.") from error
        except ValueError as error:
            raise BoardError(f"The pin {pin} cannot be used as {mode}: {error}.") from error
        line = self._lines[pin] = _Line(request, mode)
        return line

    def _take_edges(self, pin: int, line: _Line, tell: Callable[[Edge], None]) -> None:
        try:
            events = line.request.read_edge_events()
        except OSError:  # The chip is gone, as a USB expander may be: without this the loop would spin.
            self.free(pin)
            return
        for event in events:
            line.edges, line.changed = line.edges + 1, time.time()
            rising = event.event_type is event.Type.RISING_EDGE
            tell(Edge(pin, int(rising), line.changed))

    def _find(self, pin: int) -> _Line:
        found = self._lines.get(pin)
        if found is None:
            raise BoardError(f"The pin {pin} is not in use. Give it a mode first, for example output.")
        return found

    # --- PWM, buses, sensors

    def drive_pwm(self, pin: int, wave: Pwm) -> None:
        """See Board."""
        self._sensors.drive_pwm(pin, wave, self.chip)
        self._waves[pin] = wave

    def end_pwm(self, pin: int) -> None:
        """See Board."""
        wave = self._waves.pop(pin, None)
        if wave is not None:
            self._sensors.end_pwm(pin, wave, self.chip)

    def read_i2c(self, bus: int, address: int, register: int | None, length: int) -> bytes:
        """See Board."""
        from smbus2 import i2c_msg

        answer = i2c_msg.read(address, length)
        before = [] if register is None else [i2c_msg.write(address, [register])]
        self._talk(bus, address, *before, answer)
        return bytes(cast("Iterable[int]", answer))  # smbus2 annotates its iterator as a number.

    def write_i2c(self, bus: int, address: int, register: int | None, data: bytes) -> None:
        """See Board."""
        from smbus2 import i2c_msg

        self._talk(bus, address, i2c_msg.write(address, [*([] if register is None else [register]), *data]))

    def _talk(self, bus: int, address: int, *messages: object) -> None:
        """One transaction: nobody else gets in between a register's number and its value."""
        from smbus2 import SMBus

        try:
            with SMBus(bus) as opened:
                opened.i2c_rdwr(*messages)  # type: ignore[arg-type]
        except FileNotFoundError:
            raise BoardError(
                f"There is no I²C bus {bus} (/dev/i2c-{bus}). Turn I²C on, on a Raspberry Pi with dtparam=i2c_arm=on."
            ) from None
        except PermissionError:
            raise BoardError(
                f"The agent may not use /dev/i2c-{bus}. Put its user into the group i2c and start the agent again."
            ) from None
        except OSError as error:
            raise BoardError(
                f"Nothing answers at the address 0x{address:02x} of the I²C bus {bus}: {error.strerror or error}."
            ) from error

    def transfer_spi(self, bus: int, device: int, data: bytes, speed: int, mode: int) -> bytes:
        """See Board."""
        return spidev.transfer(bus, device, data, speed, mode, self._devices)

    def list_thermometers(self) -> list[str]:
        """See Board."""
        return self._sensors.list_thermometers()

    def read_thermometer(self, sensor: str) -> float:
        """See Board."""
        return self._sensors.read_thermometer(sensor)

    def read_climate(self, pin: int) -> Climate:
        """See Board."""
        return self._sensors.read_climate(pin)


def _model() -> str:
    try:
        return Path("/proc/device-tree/model").read_text("utf-8", "replace").rstrip("\0\n")
    except OSError:
        return ""
