"""PWM, one-wire thermometers and DHT sensors as the kernel's drivers show them in /sys. Everything blocks."""

from __future__ import annotations

import errno
import time
from pathlib import Path

from .board import BoardError, Climate, Pwm

_CHANNELS = {12: 0, 18: 0, 13: 1, 19: 1}
_CHANNELS_RP1 = {12: 0, 13: 1, 18: 2, 19: 3}
_EXPORT_SECONDS = 2.0
_CLIMATE_TRIES = 5


class SysfsSensors:
    """`system` is where /sys is."""

    def __init__(self, system: Path) -> None:
        self._pwm = system / "class/pwm"
        self._one_wire = system / "bus/w1/devices"
        self._iio = system / "bus/iio/devices"

    def count_pwm(self) -> int:
        """All channels of all PWM chips."""
        return sum(int(_read(chip / "npwm") or 0) for chip in self._pwm.glob("pwmchip*"))

    def drive_pwm(self, pin: int, wave: Pwm, board: str) -> None:
        """Put the wave on the pin. `board` is the GPIO chip's label. Raises BoardError."""
        channel, folder = self._find_pwm(pin, wave, board)
        period = round(1e9 / wave.frequency)
        on = round(period * wave.duty / 100)
        try:
            if not folder.exists():
                (folder.parent / "export").write_text(str(channel))
                self._await_writable(folder / "period")
            # The kernel refuses a period shorter than the time that is on: that goes first when the period shrinks.
            if int(_read(folder / "duty_cycle") or 0) > period:
                (folder / "duty_cycle").write_text("0")
            (folder / "period").write_text(str(period))
            (folder / "duty_cycle").write_text(str(on))
            (folder / "enable").write_text("1")
        except OSError as error:
            raise BoardError(_explain_pwm(pin, error)) from error

    def end_pwm(self, pin: int, wave: Pwm, board: str) -> None:
        """Turn the wave off and give the channel back. Raises BoardError."""
        channel, folder = self._find_pwm(pin, wave, board)
        try:
            if folder.exists():
                (folder / "duty_cycle").write_text(
                    "0"
                )  # First: a channel that is only turned off may stay high.
                (folder / "enable").write_text("0")
                (folder.parent / "unexport").write_text(str(channel))
        except OSError as error:
            raise BoardError(_explain_pwm(pin, error)) from error

    def list_thermometers(self) -> list[str]:
        """Ids of family 28 (DS18B20), sorted. Raises BoardError without a one-wire bus."""
        if not self._one_wire.is_dir():
            raise BoardError(
                "There is no one-wire bus. Turn it on, on a Raspberry Pi with dtoverlay=w1-gpio in config.txt."
            )
        return sorted(path.name for path in self._one_wire.glob("28-*"))

    def read_thermometer(self, sensor: str) -> float:
        """Degrees Celsius. Raises BoardError for one that is not there, and for a sum that does not fit."""
        known = self.list_thermometers()
        if sensor not in known:
            raise BoardError(
                f"There is no thermometer {sensor} on the one-wire bus; there is {', '.join(known) or 'none'}."
            )
        try:
            first, _, second = (
                (self._one_wire / sensor / "w1_slave").read_text("ascii", "replace").partition("\n")
            )
        except OSError as error:
            raise BoardError(
                f"The thermometer {sensor} does not answer: {error.strerror or error}."
            ) from error
        digits = second.rpartition("t=")[2].strip()
        if not first.strip().endswith("YES") or not digits.lstrip("-").isdigit():
            raise BoardError(
                f"The thermometer {sensor} answered garbled (its checksum is wrong). Check its wires."
            )
        if digits == "85000":
            raise BoardError(f"The thermometer {sensor} lost its power while it measured (it says 85 °C).")
        return int(digits) / 1000

    def read_climate(self, pin: int) -> Climate:
        """The DHT sensor whose overlay names this pin. Raises BoardError."""
        sensors = [
            (name, path) for path in self._iio.glob("iio:device*") if "dht" in (name := _read(path / "name"))
        ]
        by_pin = [path for name, path in sensors if name.endswith(f"@{pin:x}")]
        unnamed = [path for name, path in sensors if "@" not in name]
        found = by_pin or (unnamed if len(sensors) == 1 else [])
        if not found:
            raise BoardError(
                f"There is no DHT sensor on the pin {pin}. On a Raspberry Pi, dtoverlay=dht11,gpiopin={pin} in "
                "config.txt gives it to the kernel (for a DHT22, too)."
            )
        last = ""
        for attempt in range(
            _CLIMATE_TRIES
        ):  # One reading in several fails: the sensor's wire is timed by software.
            if attempt:
                time.sleep(0.3)
            try:
                return Climate(
                    int((found[0] / "in_temp_input").read_text()) / 1000,
                    int((found[0] / "in_humidityrelative_input").read_text()) / 1000,
                )
            except (OSError, ValueError) as error:
                last = str(getattr(error, "strerror", "") or error)
        raise BoardError(f"The DHT sensor on the pin {pin} does not answer ({last}). Check its wires.")

    def _find_pwm(self, pin: int, wave: Pwm, board: str) -> tuple[int, Path]:
        channels = _CHANNELS_RP1 if "rp1" in board else _CHANNELS
        channel = wave.channel if wave.channel >= 0 else channels.get(pin)
        if channel is None:
            raise BoardError(
                f"The pin {pin} has no PWM of its own; {', '.join(map(str, sorted(channels)))} have. "
                "On another board give `chip` and `channel`."
            )
        chip = self._pwm / f"pwmchip{wave.chip}"
        if not chip.is_dir():
            raise BoardError(
                f"There is no PWM chip {wave.chip}. Turn PWM on, on a Raspberry Pi with dtoverlay=pwm-2chan in "
                "config.txt."
            )
        return channel, chip / f"pwm{channel}"

    def _await_writable(self, path: Path) -> None:
        """Just after the export its files are root's until udev has given them to the group."""
        deadline = time.monotonic() + _EXPORT_SECONDS
        while True:
            try:
                with path.open("r+"):
                    return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def _explain_pwm(pin: int, error: OSError) -> str:
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return (
            f"The agent may not write to PWM in /sys for the pin {pin} ({error.strerror}). Put its user into the group "
            "gpio; a service of your own must not have ProtectKernelTunables."
        )
    return f"The pin {pin} cannot have this wave: {error.strerror or error}. Check its frequency and its channel."


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
