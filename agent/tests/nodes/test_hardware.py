"""The hardware types on the simulated board."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.tests.engine.conftest import Bench, Folder, Tap
from edgeflow_agent.engine import Engine, FlowRefused
from edgeflow_agent.pins import BoardError, Climate, NoBoard, Pins, SimulatedBoard
from edgeflow_agent.pins.simulated import THERMOMETER


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


async def test_what_is_kept_in_a_file(bench: Bench, board: SimulatedBoard, tmp_path: Path) -> None:
    config = {"pin": 5, "persistState": True, "stateFile": str(tmp_path / "pump"), "driveStrength": "8"}
    lines = bench.engine.subscribe("log")
    await _one(bench, "gpio-out", config)
    bench.send("n", "on")
    await bench.until(lambda: bench.seen("t"))
    assert (tmp_path / "pump").read_text() == "1\n"
    await bench.engine.remove("f")
    board.free(5)
    await _one(bench, "gpio-out", config)
    assert board.read(5) == 1
    said: Any = await anext(lines)
    assert "driveStrength 8 is not set" in said.message
    (tmp_path / "pump").unlink()
    (tmp_path / "pump").mkdir()
    assert "is not kept" in await _said(bench, "off")
    assert board.read(5) == 0


async def test_a_glitch_is_not_seen(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "gpio-in", {"pin": 6, "glitch": 30_000})
    board.drive(6, 1)
    await asyncio.sleep(0.005)
    board.drive(6, 0)
    await asyncio.sleep(0.05)
    assert not bench.seen("t")
    board.drive(6, 1)
    await bench.until(lambda: bench.seen("t"))


# --- spi


async def test_spi_there_and_back(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "spi", {"device": 0, "length": 4})
    bench.send("n", [1, 2])
    bench.send("n", {"payload": {"data": ["0xff"], "length": 0}})
    bench.send("n", None)
    await bench.until(lambda: len(bench.seen("t")) == 3)
    assert [payload["data"] for payload in bench.payloads("t")] == [[1, 2, 0, 0], [255], [0, 0, 0, 0]]  # type: ignore[index]
    assert "bytes: numbers from 0 to 255" in await _said(bench, [256])


async def test_spi_reads_a_converter_by_itself(bench: Bench, board: SimulatedBoard) -> None:
    board.analog[3] = 777
    await _one(bench, "spi", {"device": 1, "data": [1, "0xb0", 0], "pollInterval": 10})
    await bench.until(lambda: bench.seen("t"))
    read: Any = bench.seen("t")[0]["payload"]
    assert (read["data"][1] << 8 | read["data"][2], read["sent"]) == (777, [1, 0xB0, 0])


async def test_spi_says_what_is_not_there(bench: Bench, board: SimulatedBoard) -> None:
    await _one(bench, "spi", {"bus": 2})
    assert "no SPI device 2.0" in await _said(bench, [1])
    with pytest.raises(FlowRefused, match="needs `data`"):
        await _one(bench, "spi", {"pollInterval": 100})
