"""R8: one owner a device. A hub stands still, its devices move to another, it wakes up: it may write nothing."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from edgeflow_cloud.drills import (
    CannotRun,
    Drill,
    Ground,
    Key,
    Layout,
    Node,
    Order,
    Report,
    Stack,
    microseconds,
    open_stack,
    queries,
    read_stored,
)
from edgeflow_cloud.infra.db import PgConnection
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.simulator import Credentials, DialFailed, Line
from edgeflow_protocol import FrameError, decode_from_cloud, encode, frames
from edgeflow_protocol.actions import DeviceAction
from edgeflow_protocol.capabilities import Capability
from edgeflow_protocol.telemetry import Sample

_PAUSES = (1.0, 6.5)
"""Shorter and longer than what a hub notices of itself."""
_AFTER = 3.0
_WAIT = 60.0
"""A hub that stopped inside transactions holds their locks until PostgreSQL takes them back, five seconds each."""
_clock = itertools.count()


class Side:
    """One connection of a device, driven by hand. `heard` has what the cloud said on it."""

    def __init__(self, credentials: Credentials, mark: str) -> None:
        self.credentials = credentials
        self.mark = mark
        self.boot_id = secrets.token_hex(8)
        self.sent: list[Key] = []
        self.heard: list[frames.CloudFrame] = []
        self.code = 0
        self.put_off = 0
        """How often the cloud said: not now."""
        self.line: Line | None = None
        self._sequence = 0
        self._news = asyncio.Event()

    async def enter(self, hub: Node) -> None:
        """Connect and be let in. Raises CannotRun."""
        try:
            self.line = await Line.dial(f"ws://127.0.0.1:{hub.port}/tunnel", self)
        except DialFailed as error:
            raise CannotRun(f"{hub.name} takes no connection: {error}") from error
        self._say(
            frames.Connect(
                device_id=self.credentials.device_id,
                api_key=self.credentials.api_key,
                version="1.0.0",
                capabilities=[Capability.TELEMETRY, Capability.SHADOW],
                boot_id=self.boot_id,
            )
        )
        await self.until(frames.Connected, f"{hub.name} lets {self.credentials.device_id} in")

    def speak(self) -> None:
        """Say everything that writes: a measurement, a report, and a report by a command of its own."""
        self._sequence += 1
        # Times of their own, a microsecond apart, so that each sample can be told from all others.
        moment = datetime.now(UTC) - timedelta(microseconds=next(_clock))
        self.sent.append((self.credentials.device_id, microseconds(moment)))
        self._say(frames.Telemetry(self.boot_id, self._sequence, [Sample(time=moment, cpu_percent=1.0)]))
        reported: dict[str, object] = {"side": self.mark, "n": self._sequence}
        self._say(frames.ShadowReported(id=secrets.token_hex(6), reported=reported))
        self._command()

    def _command(self) -> None:
        payload: dict[str, object] = {"reported": {"told_by": self.mark}}
        command_id = secrets.token_hex(6)
        self._say(frames.Command(id=command_id, action=DeviceAction.UPDATE_REPORTED, payload=payload))

    async def until(self, kind: type[frames.Frame], what: str) -> None:
        """Wait for a frame of a kind. Raises CannotRun."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_WAIT):
                while not any(isinstance(frame, kind) for frame in self.heard) and not self.code:
                    self._news.clear()
                    await self._news.wait()
        if not any(isinstance(frame, kind) for frame in self.heard):
            raise CannotRun(f"{what}: not within {_WAIT:g} s, {self.heard[-3:]}, close code {self.code}.")

    def false_claims(self, truth: Truth) -> int:
        """Answers that say something was stored which `truth` does not have.

        A hub that stopped between a commit and its answer says so when it wakes; that is late, but true.
        """
        version = truth.reported[self.credentials.device_id][0]
        false = 0
        for frame in self.heard:
            match frame:
                case frames.Ack(error=""):
                    false += self.sent[frame.sequence - 1] not in truth.samples
                case frames.ShadowAccepted():
                    false += frame.version > version
                case frames.Response(status=frames.SUCCESS, data={"version": int(told)}):
                    false += told > version
                case _:
                    pass
        return false

    def end(self) -> None:
        """Cut it."""
        if self.line is not None:
            self.line.abort()

    def received(self, line: Line, message: bytes) -> None:
        """Holder: a message."""
        try:
            frame = decode_from_cloud(message)
        except FrameError:
            return
        loop = asyncio.get_running_loop()
        match frame:
            # Not now, says the cloud; a device says it again.
            case frames.Error(code="unavailable", retry_after=after):
                self.put_off += 1
                reported: dict[str, object] = {"side": self.mark, "n": self._sequence}
                again = frames.ShadowReported(id=secrets.token_hex(6), reported=reported)
                loop.call_later(after or 1.0, self._say, again)
            case frames.Response(status=frames.ERROR):
                self.put_off += 1
                loop.call_later(1.0, self._command)
            case _:
                self.heard.append(frame)
        self._news.set()

    def closed(self, line: Line, code: int) -> None:
        """Holder: the socket is gone."""
        self.code = code
        self._news.set()

    def _say(self, frame: frames.DeviceFrame) -> None:
        if self.line is not None:
            self.line.send(encode(frame))


@dataclass(slots=True)
class Truth:
    """What the database says."""

    samples: Mapping[Key, int]
    reported: Mapping[str, tuple[int, object]]
    """Version and document by device."""
    online: Mapping[str, int]


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Rounds: pause the hub that has the devices, move them, wake it, look."""
    layout = Layout(2, 1, 1)
    async with open_stack(ground, layout, report, mutant=order.mutant, mutated=["hub"]) as stack:
        identities = await stack.enter(order.devices)
        one, other = stack.of("hub")
        loop = asyncio.get_running_loop()
        end = loop.time() + order.seconds
        sides = [Side(identity, "0") for identity in identities]
        await _enter(sides, one)
        stale = rounds = 0
        try:
            for pause in itertools.cycle(_PAUSES):
                stale_now, sides = await _round(stack, report, sides, one, other, pause, rounds + 1)
                stale += stale_now
                rounds += 1
                one, other = other, one
                if loop.time() > end or report.broken:
                    break
        finally:
            for side in sides:
                side.end()
        report.fact("rounds", rounds)
        report.fact("stale writes accepted", stale)
        if not order.mutant:
            for line in stack.failures()[:5]:
                report.check(False, f"no handler fails: {line}")


async def _round(
    stack: Stack, report: Report, old: Sequence[Side], paused: Node, taker: Node, pause: float, number: int
) -> tuple[int, list[Side]]:
    """One pause; how many stale writes were accepted, and the sides that are in now."""
    for side in old:
        side.speak()  # on its way, and perhaps inside a transaction, when the hub stops
    await asyncio.sleep(0.01 * (number % 3))
    paused.pause()
    try:
        for side in old:
            side.speak()  # into the sockets of a hub that stands still
        new = [Side(side.credentials, f"{number}-new") for side in old]
        await _enter(new, taker)
        for side in new:
            side.speak()
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(side.until(frames.Ack, f"{taker.name} stores a sample") for side in new))
        await asyncio.gather(
            *(side.until(frames.ShadowAccepted, f"{taker.name} takes a report") for side in new)
        )
        await asyncio.gather(
            *(side.until(frames.Response, f"{taker.name} answers a command") for side in new)
        )
        waited = asyncio.get_running_loop().time() - began
        put_off = sum(side.put_off for side in new)
        report.step(
            f"round {number}: {taker.name} has the devices; {waited:.1f} s, {put_off} times `not now`"
        )
        report.fact(
            f"round {number}: the other hub had all words after", f"{waited:.1f} s, {put_off} put off"
        )
        before = await _look(stack)
        await asyncio.sleep(pause)
    finally:
        paused.resume()
    for side in old:
        side.speak()
    await asyncio.sleep(_AFTER)
    after = await _look(stack)
    written = [key for side in old for key in side.sent if key in after.samples and key not in before.samples]
    said = sum(side.false_claims(before) for side in old)
    overwritten = [
        side.credentials.device_id
        for side in new
        if after.reported.get(side.credentials.device_id) != before.reported.get(side.credentials.device_id)
    ]
    away = [side for side in new if side.code or side.credentials.device_id not in after.online]
    left = [side for side in old if not side.code]
    what = f"after {paused.name} stood still for {pause:g} s"
    report.step(
        f"round {number}: {len(written)} stale samples, {len(overwritten)} stale reports, {said} false answers"
    )
    report.check(not written, f"no stale sample is stored {what}: {len(written)} were")
    report.check(not overwritten, f"no stale report is stored {what}: {len(overwritten)} were")
    report.check(said == 0, f"nothing stale is acknowledged {what}: {said} answers claim what is not stored")
    report.check(
        not away, f"devices stay where they are {what}: {len(away)} were put out or count as offline"
    )
    report.check(not left, f"old connections are closed {_AFTER:g} s {what}: {len(left)} are open")
    for side in old:
        side.end()
    return len(written) + len(overwritten) + said, new


async def _enter(sides: Sequence[Side], hub: Node) -> None:
    await asyncio.gather(*(side.enter(hub) for side in sides))


async def _look(stack: Stack) -> Truth:
    stored = await read_stored(stack.database_url)
    connection: PgConnection = await asyncpg.connect(stack.database_url, timeout=10)
    try:
        reported = {
            ids.encode(ids.DEVICE, device): (version, document)
            for device, version, document in await queries.list_reported(connection)
        }
        online = await queries.list_online(connection)
    finally:
        await connection.close(timeout=5)
    return Truth(
        stored.samples, reported, {ids.encode(ids.DEVICE, one): epoch for one, epoch in online.items()}
    )


DRILL = Drill(
    name="split-brain",
    question="Does a hub that stood still while its devices moved to another write nothing of theirs?",
    run=run,
    mutants={"no-fence": "a hub takes its connections for the newest, however long it stood still"},
    seconds=10.0,
    devices=20,
)
