"""Events and log lines on disk: bounded, in order, numbered for good, and over a crash."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.tests.conftest import until
from edgeflow_agent.reports import LogTap, ReportSpool, device_event
from edgeflow_agent.state import Database, StateFolder
from edgeflow_protocol import decode_from_device, encode
from edgeflow_protocol.frames import Events


class Device:
    """A spool that is written at once."""

    def __init__(self, path: Path, boot_id: str, limit: int = 100_000, batch: int = 3) -> None:
        self.folder = StateFolder.open(path)
        self.database = Database.open(self.folder)
        self.spool = ReportSpool(self.database, "events", boot_id, limit=limit, batch=batch, pause=0.001)

    async def start(self) -> Device:
        await self.spool.open()
        self.task = asyncio.create_task(self.spool.run())
        return self

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.database.close()
        self.folder.close()

    async def put(self, *numbers: int) -> None:
        for number in numbers:
            self.spool.put({"n": number})
        await until(lambda: not self.spool._pending)
        await asyncio.sleep(0.01)


def numbers(batch: object) -> list[object]:
    return [entry["n"] for entry in batch.entries]  # type: ignore[attr-defined]


async def test_batches_keep_their_number_and_content_over_boots(tmp_path: Path) -> None:
    device = await Device(tmp_path, "one").start()
    await device.put(1, 2, 3, 4)
    first = await device.spool.next_batch()
    assert first is not None
    assert (first.boot_id, first.sequence, numbers(first)) == ("one", 1, [1, 2, 3])
    await device.stop()
    device = await Device(tmp_path, "two").start()
    await device.put(5)
    again = await device.spool.next_batch()
    assert again == first
    rest = await device.spool.next_batch(first.position)
    assert rest is not None
    assert (rest.boot_id, rest.sequence, numbers(rest)) == ("one", 2, [4])  # A batch is of one boot.
    new = await device.spool.next_batch(rest.position)
    assert new is not None
    assert (new.boot_id, new.sequence, numbers(new)) == ("two", 1, [5])
    assert await device.spool.acknowledge("one", 2) == 2
    assert await device.spool.next_batch() == new
    assert await device.spool.discard("two", 1) == 1
    assert device.spool.dropped == 1
    assert await device.spool.next_batch() is None
    await device.stop()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(60, 400))
async def test_it_is_bounded_and_loses_the_oldest_first(
    tmp_path_factory: object, counts: list[int], limit: int
) -> None:
    path = tmp_path_factory.mktemp("spool")  # type: ignore[attr-defined]
    device = await Device(path, "one", limit=limit).start()
    await device.put(*range(len(counts)))
    kept: list[object] = []
    position = 0
    while (batch := await device.spool.next_batch(position)) is not None:
        kept += numbers(batch)
        position = batch.position
    assert kept == list(range(len(counts) - len(kept), len(counts)))
    assert len(kept) + device.spool.dropped == len(counts)
    await device.stop()


async def test_more_than_memory_holds_is_dropped_and_counted(tmp_path: Path) -> None:
    device = Device(tmp_path, "one")
    await device.spool.open()
    for number in range(1500):
        device.spool.put({"n": number})
    assert device.spool.dropped == 500
    device.database.close()
    device.folder.close()


async def test_what_is_told_is_what_the_wire_says(tmp_path: Path) -> None:
    device = await Device(tmp_path, "one").start()
    device.spool.put(device_event("warning", "clock_off", "x" * 9000, flow_id="f", data={"a": 1}))
    await until(lambda: not device.spool._pending)
    await asyncio.sleep(0.02)
    batch = await device.spool.next_batch()
    assert batch is not None
    frame = decode_from_device(encode(Events(batch.boot_id, batch.sequence, batch.entries)))  # type: ignore[arg-type]
    assert isinstance(frame, Events)
    (event,) = frame.events
    assert (event.code, event.flow_id, len(event.message)) == ("clock_off", "f", 2000)  # type: ignore[union-attr]
    await device.stop()


def test_the_tap_bounds_lines_and_leaves_out_what_the_engine_tells() -> None:
    lines: list[dict[str, object]] = []
    log = logging.getLogger("edgeflow_agent.tapped")
    flows = logging.getLogger("edgeflow_agent.flow")
    tap = LogTap(lines.append)
    for logger in (log, flows):
        logger.addHandler(tap)
        logger.setLevel(logging.DEBUG)
    try:
        flows.error("The engine tells this with its node.")
        try:
            raise ValueError("seven")
        except ValueError:
            log.exception("It failed.")
        for number in range(300):
            log.info("line %d", number)
    finally:
        for logger in (log, flows):
            logger.removeHandler(tap)
    assert lines[0]["message"] == "It failed. (ValueError: seven)"
    assert lines[0]["source"] == "tapped"
    assert lines[0]["level"] == "error"
    assert 50 <= len(lines) <= 201
