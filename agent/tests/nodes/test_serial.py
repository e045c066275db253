"""serial-in and serial-out on a real pair of pseudo-terminals."""

from __future__ import annotations

import asyncio
import os
import pty
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serialx

from agent.tests.engine.conftest import Bench
from edgeflow_agent.engine import FlowRefused


class Device:
    """The other end of the line: what is on the cable."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.plug()

    def plug(self) -> None:
        self.end, self._port = pty.openpty()
        self.name = os.ttyname(self._port)
        self.link.symlink_to(self.name)
        os.set_blocking(self.end, False)

    def unplug(self) -> None:
        self.link.unlink()
        os.close(self._port)
        os.close(self.end)

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self._port)

    def say(self, data: bytes) -> None:
        os.write(self.end, data)

    async def hear(self, size: int) -> bytes:
        heard = b""
        async with asyncio.timeout(5):
            while len(heard) < size:
                try:
                    heard += os.read(self.end, 1024)
                except BlockingIOError:
                    await asyncio.sleep(0.005)
        return heard


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device(tmp_path / "ttyTEST")
    yield made
    made.unplug()


async def start(bench: Bench, device: Device, incoming: dict[str, Any], outgoing: dict[str, Any]) -> None:
    await bench.run(
        [
            {"id": "in", "type": "serial-in", "config": {"port": str(device.link), **incoming}},
            {"id": "out", "type": "serial-out", "config": {"port": str(device.link), **outgoing}},
            {"id": "t", "type": "tap"},
            {"id": "c", "type": "catch"},
            {"id": "e", "type": "tap"},
        ],
        [("in", "t"), ("c", "e")],
    )


async def test_lines_come_and_go_as_configured(
    bench: Bench, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}  # A pseudo-terminal has eight bits and no parity, whatever it is told.
    real = serialx.open_serial_connection

    async def opening(**options: Any) -> Any:
        asked.update(options)
        return await real(**options)

    monkeypatch.setattr(serialx, "open_serial_connection", opening)
    settings = {"baudRate": "19200", "dataBits": 7, "stopBits": "2", "parity": "even"}
    await start(bench, device, settings, settings | {"addNewline": True})
    bench.send("out", "read")
    bench.send("out", {"payload": {"data": "R1"}})
    bench.send("out", {"payload": [1, 2, 3]})
    assert await device.hear(12) == b"read\nR1\n\x01\x02\x03\n"
    flags = device.settings()
    assert (flags[4], flags[5]) == (termios.B19200, termios.B19200)
    assert flags[2] & termios.CSTOPB
    assert (asked["byte_size"], asked["parity"]) == (7, serialx.Parity.EVEN)
    device.say(b"t=21.5\r\nt=2")
    await bench.until(lambda: len(bench.seen("t")) == 1)
    device.say(b"2.0\n")
    await bench.until(lambda: len(bench.seen("t")) == 2)
    assert bench.payloads("t") == [{"data": "t=21.5"}, {"data": "t=22.0"}]
    assert bench.seen("t")[0]["port"] == str(device.link)


async def test_bytes_as_they_come(bench: Bench, device: Device) -> None:
    await start(bench, device, {"delimiter": "", "binary": True}, {})
    bench.send("out", "?")
    assert await device.hear(1) == b"?"
    device.say(b"\x00\xff\n")
    await bench.until(lambda: bench.seen("t"))
    assert bench.payloads("t") == [{"data": b"\x00\xff\n"}]


async def test_a_device_that_goes_and_comes_back(bench: Bench, device: Device) -> None:
    await start(bench, device, {}, {"timeout": 0.3})
    bench.send("out", "one")
    assert await device.hear(3) == b"one"
    device.unplug()
    port: Any = bench.engine.node("f", "out")
    await bench.until(lambda: not port._port._connected.is_set())
    bench.send("out", "lost")
    await bench.until(lambda: bench.seen("e"))
    assert "is not there. Nothing was written." in bench.seen("e")[0]["error"]["message"]  # type: ignore[index]
    device.plug()
    await bench.until(port._port._connected.is_set)
    device.say(b"back\n")
    await bench.until(lambda: bench.seen("t"))
    assert bench.payloads("t") == [{"data": "back"}]


async def test_two_nodes_must_agree_on_a_port(bench: Bench, device: Device) -> None:
    with pytest.raises(FlowRefused, match="with other settings"):
        await start(bench, device, {"baudRate": 9600}, {"baudRate": 115200})
    with pytest.raises(FlowRefused, match="needs a port"):
        await bench.run([{"id": "in", "type": "serial-in", "config": {}}], [])
    await start(
        bench, device, {"baudRate": 115200}, {"baudRate": 115200}
    )  # nothing was left of the refused one
