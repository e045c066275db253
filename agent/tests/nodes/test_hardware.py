"""The hardware types on the simulated board, and the Linux board over trees like /sys and a double of gpiod's lines. On
a kernel with gpio-sim, over that, too."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpiod
import pytest
import smbus2

from agent.tests.engine.conftest import Bench, Folder, Tap
from edgeflow_agent.engine import Engine, FlowRefused
from edgeflow_agent.pins import BoardError, Climate, NoBoard, Pins, Pwm, SimulatedBoard, open_board
from edgeflow_agent.pins.gpiod_board import GpiodBoard
from edgeflow_agent.pins.simulated import THERMOMETER
from edgeflow_agent.pins.sysfs import SysfsSensors

_SIM = Path("/sys/kernel/config/gpio-sim")


@pytest.fixture
def board() -> SimulatedBoard:
    return SimulatedBoard()


@pytest.fixture
async def engine(board: SimulatedBoard) -> AsyncIterator[Engine]:
    made = Engine(pins=Pins(board))
    made.registry.add(Tap)
    yield made
    await made.close()


async def _one(bench: Bench, kind: str, config: dict[str, Any]) -> None:
    await bench.run(
        [{"id": "n", "type": kind, "config": config}, {"id": "t", "type": "tap"}, {"id": "e", "type": "catch"},
         {"id": "x", "type": "tap"}],
        [("n", "t"), ("e", "x")],
    )  # fmt: skip


async def _said(bench: Bench, message: Any) -> str:
    bench.send("n", message)
    await bench.until(lambda: bench.seen("x"))
    error: Any = bench.seen("x").pop()["error"]
    return error["message"]


# --- gpio-in


async def test_edges_as_configured(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "gpio-in", {"pin": 17, "pullMode": "up", "readInitial": True})
    for level in (0, 1, 1, 0):
        board.drive(17, level)
    await bench.until(lambda: len(bench.seen("t")) == 4)
    assert bench.payloads("t") == [
        {"pin": 17, "value": 1, "edge": "none"},
        {"pin": 17, "value": 0, "edge": "falling"},
        {"pin": 17, "value": 1, "edge": "rising"},
        {"pin": 17, "value": 0, "edge": "falling"},
    ]
    bench.send("n", None)
    await bench.until(lambda: len(bench.seen("t")) == 5)
    assert bench.payloads("t")[-1] == {"pin": 17, "value": 0, "edge": "none"}
    await bench.engine.stop("f")
    assert board.pins() == []


@pytest.mark.parametrize("interrupt", [True, False])
async def test_only_rising_edges(bench: Bench, board: SimulatedBoard, interrupt: bool) -> None:
    await _one(
        bench, "gpio-in",
        {"pin": "5", "edgeMode": "rising", "interruptMode": interrupt, "pollInterval": 10},
    )  # fmt: skip
    for level in (1, 0, 1):
        board.drive(5, level)
        await asyncio.sleep(0.05)
    await bench.until(lambda: len(bench.seen("t")) == 2)
    await bench.quiet()
    assert [each["edge"] for each in bench.payloads("t")] == ["rising", "rising"]  # type: ignore[index]


@pytest.mark.parametrize("interrupt", [True, False])
async def test_a_bouncing_contact_is_one_edge(bench: Bench, board: SimulatedBoard, interrupt: bool) -> None:
    await _one(
        bench, "gpio-in",
        {"pin": 6, "debounce": "60ms", "interruptMode": interrupt, "pollInterval": 10},
    )  # fmt: skip
    for level in (1, 0, 1, 0, 1):
        board.drive(6, level)
        await asyncio.sleep(0.005)
    await bench.until(lambda: bench.seen("t"))
    await asyncio.sleep(0.15)
    assert bench.payloads("t") == [{"pin": 6, "value": 1, "edge": "rising"}]
    board.drive(6, 0)
    board.drive(6, 1)  # A spike.
    await asyncio.sleep(0.15)
    assert len(bench.seen("t")) == 1


async def test_a_fluttering_pin_costs_edges_not_memory(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "gpio-in", {"pin": 4})
    for count in range(5000):
        board.drive(4, (count + 1) % 2)
    await bench.until(lambda: len(bench.seen("t")) == 1000)
    node = bench.engine.node("f", "n")
    assert (node.dropped, bench.payloads("t")[-1]) == (4000, {"pin": 4, "value": 0, "edge": "falling"})


# --- gpio-out, relay


async def test_what_an_output_takes(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "gpio-out", {"pin": 18, "initialValue": True, "invert": True})
    assert board.read(18) == 0
    levels = []
    for payload in (False, "on", {"value": 0}, {"state": "high"}, {"on": False}, "toggle", {"payload": "0"}):
        bench.send("n", {"payload": payload})
        await bench.quiet()
        levels.append(board.read(18))
    assert levels == [1, 0, 1, 0, 1, 0, 1]
    assert bench.payloads("t")[-2:] == [{"pin": 18, "value": 1}, {"pin": 18, "value": 0}]
    assert "not 'bright'" in await _said(bench, {"payload": "bright"})
    assert board.read(18) == 1


async def test_an_output_is_written_and_an_input_hears_it_over_the_jumper(
    bench: Bench, board: SimulatedBoard
) -> None:
    await bench.run(
        [
            {"id": "in", "type": "gpio-in", "config": {"pin": 19}},
            {"id": "out", "type": "gpio-out", "config": {"pin": 26}},
            {"id": "t", "type": "tap"},
        ],
        [("in", "t")],
    )
    bench.send("out", 1)
    await bench.until(lambda: bench.seen("t"))
    assert bench.payloads("t") == [{"pin": 19, "value": 1, "edge": "rising"}]


async def test_failsafe_drives_the_pin_when_the_flow_stops(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "gpio-out", {"pin": 18, "failsafeMode": True, "failsafeValue": True})
    bench.send("n", 0)
    await bench.quiet()
    await bench.engine.stop("f")
    assert board.read(18) == 1
    await bench.engine.start("f")  # It left the pin to whoever comes next: itself.
    assert board.read(18) == 0


async def test_the_last_value_outlives_the_engine(tmp_path: Path) -> None:
    config = {"pin": 18, "persistState": True}
    for before, sent in ((0, 1), (1, None)):
        board = SimulatedBoard()
        engine = Engine(Folder(tmp_path), pins=Pins(board))
        engine.registry.add(Tap)
        bench = Bench(engine)
        await _one(bench, "gpio-out", config)
        assert board.read(18) == before
        if sent is not None:
            bench.send("n", sent)
            await bench.quiet()
        await engine.close()


async def test_a_relay_pulses_and_is_off_when_its_flow_stops(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "relay", {"pin": 23, "activeLow": True, "pulse": 60})
    assert board.read(23) == 1
    bench.send("n", "on")
    await bench.until(lambda: bench.seen("t"))
    assert board.read(23) == 0
    await bench.until(lambda: len(bench.seen("t")) == 2)
    assert [each["state"] for each in bench.payloads("t")] == ["on", "off"]  # type: ignore[index]
    assert board.read(23) == 1
    bench.send("n", "on")
    await bench.until(lambda: len(bench.seen("t")) == 3)
    await bench.engine.stop("f")
    assert board.read(23) == 1


# --- one pin, one user


async def test_two_users_of_a_pin_are_refused(bench: Bench, engine: Engine, board: SimulatedBoard) -> None:
    with pytest.raises(FlowRefused, match="The pin 17 is used by the node a of the flow f"):
        await bench.run(
            [
                {"id": "a", "type": "gpio-in", "config": {"pin": 17}},
                {"id": "b", "type": "relay", "config": {"pin": 17}},
            ],
            [],
        )
    assert board.pins() == []
    await bench.run([{"id": "a", "type": "gpio-in", "config": {"pin": 17}}], [])
    with pytest.raises(BoardError, match="used by the node a of the flow f"):
        engine.pins.set(17, None, 1)
    assert "used by the node a" in engine.pins.desire({17: "output", 18: "output"})[17]
    await bench.engine.stop("f")
    with pytest.raises(FlowRefused, match="The pin 18 is used by the shadow's gpio_config"):
        await bench.run([{"id": "a", "type": "gpio-out", "config": {"pin": 18}}], [])
    engine.pins.desire({})
    await bench.engine.start("f")
    assert board.read(18) == 0


async def test_a_changed_node_takes_its_own_pin_again(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "gpio-out", {"pin": 18})
    await _one(bench, "gpio-out", {"pin": 18, "initialValue": True})
    assert (board.read(18), bench.engine.state("f").status) == (1, "running")


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("gpio-in", {"pin": 1}),
        ("gpio-out", {"pin": 1}),
        ("relay", {"pin": 1}),
        ("pwm", {"pin": 1}),
        ("i2c", {"address": "0x48"}),
        ("ds18b20", {}),
        ("dht", {"pin": 1}),
    ],
)
async def test_without_a_board_a_flow_refuses_to_start_with_the_reason(
    kind: str, config: dict[str, Any]
) -> None:
    engine = Engine(pins=Pins(NoBoard("There is no board here.")))
    await engine.deploy({"id": "f", "nodes": [{"id": "n", "type": kind, "config": config}]})
    with pytest.raises(FlowRefused, match="There is no board here"):
        await engine.start("f")
    await engine.close()


@pytest.mark.parametrize("kind", ["gpio-in", "gpio-out", "relay", "pwm", "dht"])
async def test_a_pin_must_be_given_and_be_there(bench: Bench, kind: str) -> None:
    with pytest.raises(FlowRefused, match="'pin' is missing"):
        await _one(bench, kind, {})
    if kind != "dht":  # That one's sensor says so when it measures.
        with pytest.raises(FlowRefused, match="no pin 99"):
            await bench.run([{"id": "n", "type": kind, "config": {"pin": 99}}], [])


# --- pwm, i2c, sensors


async def test_pwm(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "pwm", {"pin": 12, "frequency": 500, "dutyCycle": 10})
    bench.send("n", 40)
    bench.send("n", {"payload": {"dutyCycle": "75", "frequency": 2000}})
    await bench.until(lambda: len(bench.seen("t")) == 2)
    assert bench.payloads("t")[1] == {"pin": 12, "value": 75.0, "dutyCycle": 75.0, "frequency": 2000.0}
    assert bench.engine.pins.describe()["active_pins"] == [
        {"pin": 12, "mode": "pwm", "value": 1, "duty": 75.0, "frequency": 2000.0}
    ]
    assert "0 to 100 percent, not 101" in await _said(bench, 101)
    await bench.engine.stop("f")
    assert board.pins() == []


async def test_i2c_registers(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "i2c", {"address": "0x48", "register": "0x10", "length": 2})
    bench.send("n", {"payload": {"operation": "write", "data": [0x12, 0x34]}})
    bench.send("n", None)
    bench.send("n", {"payload": {"register": 0x11, "length": 1}})
    await bench.until(lambda: len(bench.seen("t")) == 3)
    assert [(each["data"], each["value"]) for each in bench.payloads("t")] == [  # type: ignore[index]
        ([0x12, 0x34], 0x1234),
        ([0x12, 0x34], 0x1234),
        ([0x34], 0x34),
    ]
    assert "Nothing answers at the address 0x21" in await _said(bench, {"payload": {"address": 0x21}})
    assert "numbers from 0 to 255" in await _said(bench, {"payload": {"operation": "write", "data": [256]}})
    assert "0x03 to 0x77" in await _said(bench, {"payload": {"address": 200}})


async def test_a_thermometer(bench: Bench, board: SimulatedBoard) -> None:
    board.temperatures = {THERMOMETER: 21.5}
    await _one(bench, "ds18b20", {"unit": "fahrenheit", "pollInterval": 20})
    await bench.until(lambda: bench.seen("t"))
    assert bench.payloads("t")[0] == {"temperature": 70.7, "unit": "fahrenheit", "sensorId": THERMOMETER}
    board.temperatures = {"28-1": 1.0, "28-2": -2.5}
    await bench.engine.remove("f")
    with pytest.raises(FlowRefused, match=r"several thermometers: 28-1, 28-2\. Give 'sensorId'"):
        await _one(bench, "ds18b20", {})
    ((message,),) = await bench.through("ds18b20", {"sensorId": "28-2"}, None)
    assert message["payload"] == {"temperature": -2.5, "unit": "celsius", "sensorId": "28-2"}


async def test_a_dht(bench: Bench, board: SimulatedBoard) -> None:
    board.climates[4] = Climate(19.5, 61.0)
    ((message,),) = await bench.through("dht", {"pin": 4, "sensorType": "DHT11"}, None)
    assert message["payload"] == {"temperature": 19.5, "humidity": 61.0, "unit": "celsius", "pin": 4}


# --- the Linux board


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
