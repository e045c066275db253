"""The Linux board over trees like /sys and a double of gpiod's lines; on a kernel with gpio-sim, over that, too."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpiod
import pytest
import smbus2

from agent.tests.engine.conftest import Bench, Tap
from edgeflow_agent.engine import Engine, FlowRefused
from edgeflow_agent.pins import BoardError, Climate, NoBoard, Pins, Pwm, open_board, spidev
from edgeflow_agent.pins.gpiod_board import GpiodBoard
from edgeflow_agent.pins.sysfs import SysfsSensors

_SIM = Path("/sys/kernel/config/gpio-sim")


async def _one(bench: Bench, kind: str, config: dict[str, Any]) -> None:
    await bench.run(
        [{"id": "n", "type": kind, "config": config}, {"id": "t", "type": "tap"}, {"id": "e", "type": "catch"},
         {"id": "x", "type": "tap"}],
        [("n", "t"), ("e", "x")],
    )  # fmt: skip


def _tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_sensors_as_the_kernel_shows_them(tmp_path: Path) -> None:
    good = "4e 01 4b 46 7f ff 0c 10 d2 : crc=d2 YES\n4e 01 4b 46 7f ff 0c 10 d2 t={}\n"
    sensors = SysfsSensors(
        _tree(
            tmp_path,
            {
                "bus/w1/devices/28-1/w1_slave": good.format(-1250),
                "bus/w1/devices/28-2/w1_slave": good.format(20875).replace("YES", "NO"),
                "bus/w1/devices/28-3/w1_slave": good.format(85000),
                "bus/w1/devices/w1_bus_master1/name": "w1",
                "bus/iio/devices/iio:device0/name": "dht11@11\n",
                "bus/iio/devices/iio:device0/in_temp_input": "23400\n",
                "bus/iio/devices/iio:device0/in_humidityrelative_input": "48100\n",
                "bus/iio/devices/iio:device1/name": "bmp280\n",
            },
        )
    )
    assert sensors.list_thermometers() == ["28-1", "28-2", "28-3"]
    assert sensors.read_thermometer("28-1") == -1.25
    for sensor, said in (("28-2", "garbled"), ("28-3", "lost its power"), ("28-9", "there is 28-1, 28-2")):
        with pytest.raises(BoardError, match=said):
            sensors.read_thermometer(sensor)
    assert sensors.read_climate(17) == Climate(23.4, 48.1)
    with pytest.raises(BoardError, match="dtoverlay=dht11,gpiopin=4"):
        sensors.read_climate(4)
    with pytest.raises(BoardError, match="dtoverlay=w1-gpio"):
        SysfsSensors(tmp_path / "none").list_thermometers()


def test_pwm_as_the_kernel_takes_it(tmp_path: Path) -> None:
    chip = "class/pwm/pwmchip0"
    _tree(
        tmp_path,
        {f"{chip}/npwm": "2\n", f"{chip}/export": "", f"{chip}/unexport": ""}
        | {f"{chip}/pwm{number}/{name}": "0\n" for number in (0, 2) for name in ("period", "duty_cycle", "enable")},
    )  # fmt: skip
    sensors = SysfsSensors(tmp_path)
    assert sensors.count_pwm() == 2

    def shown(channel: int) -> list[str]:
        folder = tmp_path / chip / f"pwm{channel}"
        return [(folder / name).read_text() for name in ("period", "duty_cycle", "enable")]

    sensors.drive_pwm(18, Pwm(1000, 25), "pinctrl-bcm2711")
    assert shown(0) == ["1000000", "250000", "1"]
    sensors.drive_pwm(18, Pwm(50, 7.5), "pinctrl-rp1")
    assert shown(2) == ["20000000", "1500000", "1"]
    sensors.end_pwm(18, Pwm(1000, 25), "pinctrl-bcm2711")
    assert shown(0) == ["1000000", "0", "0"]
    assert (tmp_path / chip / "unexport").read_text() == "0"
    with pytest.raises(BoardError, match="12, 13, 18, 19 have"):
        sensors.drive_pwm(5, Pwm(1000, 25), "")
    with pytest.raises(BoardError, match="dtoverlay=pwm-2chan"):
        sensors.drive_pwm(18, Pwm(1000, 25, chip=3), "")


class _Lines:
    """gpiod's request of one line, its events through a pipe; the settings are gpiod's own."""

    made: list[_Lines]

    def __init__(self, settings: gpiod.LineSettings) -> None:
        self.settings, self.value, self.released = settings, settings.output_value, False
        self.fd, self._end = os.pipe()

    def get_value(self, pin: int) -> gpiod.line.Value:
        return self.value

    def set_value(self, pin: int, value: gpiod.line.Value) -> None:
        self.value = value

    def happen(self, kind: gpiod.EdgeEvent.Type) -> None:
        os.write(self._end, b"r" if kind is gpiod.EdgeEvent.Type.RISING_EDGE else b"f")

    def read_edge_events(self) -> list[Any]:
        kinds = gpiod.EdgeEvent.Type
        return [
            SimpleNamespace(event_type=kinds.RISING_EDGE if byte == 114 else kinds.FALLING_EDGE, Type=kinds)
            for byte in os.read(self.fd, 64)
        ]

    def release(self) -> None:
        self.released = True
        os.close(self.fd)
        os.close(self._end)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[_Lines]]:
    made: list[_Lines] = []

    def request(path: str, *, consumer: str, config: dict[int, gpiod.LineSettings], **more: object) -> _Lines:
        if 7 in config:
            raise OSError(errno.EBUSY, "Device or resource busy")
        if 8 in config and config[8].bias is gpiod.line.Bias.DISABLED:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        made.append(_Lines(next(iter(config.values()))))
        return made[-1]

    monkeypatch.setattr(gpiod, "request_lines", request)
    yield made
    for each in made:
        if not each.released:
            each.release()


async def test_gpiod_lines_are_asked_for_as_configured(tmp_path: Path, lines: list[_Lines]) -> None:
    board = GpiodBoard(tmp_path / "gpiochip0", "pinctrl-bcm2711", 58, system=tmp_path, devices=tmp_path)
    engine = Engine(pins=Pins(board))
    engine.registry.add(Tap)
    bench = Bench(engine)
    await _one(bench, "gpio-in", {"pin": 17, "pullMode": "up", "debounce": 20})
    settings = lines[0].settings
    assert settings.bias is gpiod.line.Bias.PULL_UP
    assert settings.edge_detection is gpiod.line.Edge.BOTH
    assert settings.debounce_period.total_seconds() == 0.02
    lines[0].happen(gpiod.EdgeEvent.Type.RISING_EDGE)
    lines[0].happen(gpiod.EdgeEvent.Type.FALLING_EDGE)
    await bench.until(lambda: len(bench.seen("t")) == 2)
    assert [each["edge"] for each in bench.payloads("t")] == ["rising", "falling"]  # type: ignore[index]
    await engine.remove("f")
    assert lines[0].released
    await _one(bench, "gpio-out", {"pin": 18, "initialValue": True})
    assert lines[1].settings.output_value is gpiod.line.Value.ACTIVE
    bench.send("n", 0)
    await bench.quiet()
    assert lines[1].value is gpiod.line.Value.INACTIVE
    await engine.remove("f")
    with pytest.raises(FlowRefused, match="another program uses it"):
        await _one(bench, "gpio-out", {"pin": 7})
    board.use(8, "input")  # A chip that has no pulls.
    assert lines[-1].settings.bias is gpiod.line.Bias.AS_IS
    await engine.close()


def test_i2c_is_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = GpiodBoard(tmp_path / "gpiochip0", "pinctrl-bcm2711", 58, system=tmp_path, devices=tmp_path)
    with pytest.raises(BoardError, match="no I²C bus 77"):
        board.read_i2c(77, 0x48, None, 1)
    seen: list[Any] = []

    class Bus:
        def __init__(self, bus: int) -> None:
            seen.append(bus)

        def __enter__(self) -> Bus:
            return self

        def __exit__(self, *_: object) -> None: ...

        def i2c_rdwr(self, *messages: Any) -> None:
            if messages[0].addr == 0x21:
                raise OSError(121, "Remote I/O error")
            for message in messages:
                if message.flags:
                    for index in range(message.len):
                        message.buf[index] = bytes([0xA0 + index])
                seen.append((message.addr, message.flags, bytes(message)))

    monkeypatch.setattr(smbus2, "SMBus", Bus)
    assert board.read_i2c(1, 0x48, 0x10, 2) == b"\xa0\xa1"
    board.write_i2c(1, 0x48, 0x20, b"\x01\x02")
    assert seen == [1, (0x48, 0, b"\x10"), (0x48, 1, b"\xa0\xa1"), 1, (0x48, 0, b"\x20\x01\x02")]
    with pytest.raises(BoardError, match="Nothing answers at the address 0x21 of the I²C bus 1: Remote I/O"):
        board.read_i2c(1, 0x21, None, 1)


def test_a_machine_without_a_board_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reason() -> str:
        found = open_board("auto", devices=tmp_path)
        assert isinstance(found, NoBoard)
        return found.reason

    assert "there is no /dev/gpiochip0" in reason()
    (tmp_path / "gpiochip0").touch()
    assert "does not answer as a GPIO chip" in reason()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "usermod -aG gpio" in reason()


@pytest.mark.skipif(not _SIM.is_dir(), reason="this kernel has no gpio-sim in configfs")
async def test_the_kernels_simulated_chip() -> None:
    chip = _SIM / "edgeflow"
    bank = chip / "bank0"
    bank.mkdir(parents=True)
    try:
        (bank / "num_lines").write_text("8")
        (chip / "live").write_text("1")
        name = (bank / "chip_name").read_text().strip()
        device = Path("/sys/devices/platform") / (chip / "dev_name").read_text().strip() / name
        board = GpiodBoard(Path("/dev") / name, "gpio-sim", 8)
        engine = Engine(pins=Pins(board))
        engine.registry.add(Tap)
        bench = Bench(engine)
        await _one(bench, "gpio-in", {"pin": 3, "pullMode": "down"})
        (device / "sim_gpio3/pull").write_text("pull-up")
        await bench.until(lambda: bench.seen("t"))
        assert bench.payloads("t") == [{"pin": 3, "value": 1, "edge": "rising"}]
        await engine.close()
    finally:
        (chip / "live").write_text("0")
        bank.rmdir()
        chip.rmdir()


def test_spi_by_the_kernels_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A double of the driver reads the struct as the kernel lays it out, and answers in its memory."""
    (tmp_path / "spidev0.1").write_bytes(b"")
    calls: dict[int, bytes] = {}

    def ioctl(handle: int, request: int, argument: bytes) -> int:
        calls[request] = argument
        if request == 0x40206B00:
            sends, receives, length = struct.unpack_from("=QQI", argument)
            sent = ctypes.string_at(sends, length)
            ctypes.memmove(receives, bytes(255 - byte for byte in sent), length)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    assert spidev.transfer(0, 1, b"\x01\x80\x00", 1_000_000, 3, tmp_path) == b"\xfe\x7f\xff"
    assert (calls[0x40016B01], calls[0x40046B04]) == (b"\x03", struct.pack("=I", 1_000_000))
    assert len(calls[0x40206B00]) == 32
    assert struct.unpack_from("=I", calls[0x40206B00], 20) == (1_000_000,)
    monkeypatch.undo()
    with pytest.raises(BoardError, match=r"no SPI device 3\.0"):
        spidev.transfer(3, 0, b"x", 1_000, 0, tmp_path)
    with pytest.raises(BoardError, match="does not take this"):
        spidev.transfer(0, 1, b"x", 1_000, 0, tmp_path)
