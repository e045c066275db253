"""What devices say twice, late, out of order, and again after they came back: nothing twice, nothing lost."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import httpx2

from edgeflow_cloud.drills import (
    CannotRun,
    Drill,
    Ground,
    Key,
    Layout,
    Order,
    Peer,
    Report,
    Witness,
    check_samples,
    microseconds,
    open_stack,
    read_stored,
)
from edgeflow_cloud.simulator import Credentials
from edgeflow_protocol import frames
from edgeflow_protocol.telemetry import Sample

_BATCHES, _SAMPLES, _REPORTS = 12, 3, 5
_LIVES = 3
_SETTLE = 20.0
_clock = itertools.count(1)
_BORN = datetime.now(UTC)
"""No two samples have one time: each can be told from all others."""


class Stutterer:
    """A device that repeats itself: batches in order, each again at any later time, all after a return."""

    def __init__(self, credentials: Credentials, url: str, order: Order, witness: Witness) -> None:
        self.credentials = credentials
        self._url = url
        self._dice = order.dice(credentials.device_id)
        self._witness = witness
        self._batches: list[frames.Telemetry] = []
        self._reports = 0
        self.orders: dict[str, str] = {}
        """Command id -> what it answered first."""
        self._old: list[frames.Response] = []
        self.peer: Peer | None = None

    async def live(self) -> None:
        """One connection: old things again, new things twice. Raises CannotRun."""
        peer = self.peer = await Peer.enter(self._url, self.credentials, "stutter")
        peer.hear = self._hear
        again = [*self._batches, *self._old]
        self._dice.shuffle(again)
        for frame in again:
            peer.say(frame)
        for _ in range(_BATCHES // _LIVES):
            self._batches.append(self._measure(len(self._batches) + 1))
            peer.say(self._batches[-1])
            for old in self._dice.choices(self._batches, k=2):
                peer.say(old)
            await asyncio.sleep(self._dice.uniform(0.0, 0.03))
        for _ in range(_REPORTS):
            self._reports += 1
            report = frames.ShadowReported(id=f"r{self._reports}", reported={"n": self._reports})
            for _ in range(self._dice.randint(1, 3)):
                peer.say(report)
            await asyncio.sleep(self._dice.uniform(0.0, 0.03))

    async def settled(self) -> bool:
        """Whether its last batch is acknowledged."""
        peer = self.peer
        return peer is not None and await peer.until(self._all_acknowledged, _SETTLE)

    @property
    def last_report(self) -> dict[str, object]:
        """What its shadow must say in the end."""
        return {"n": self._reports}

    def _all_acknowledged(self) -> bool:
        keys = [key for batch in self._batches for key in self._keys(batch)]
        return all(self._witness.made[key] for key in keys)

    def _measure(self, sequence: int) -> frames.Telemetry:
        moments = [_BORN - timedelta(microseconds=next(_clock)) for _ in range(_SAMPLES)]
        batch = frames.Telemetry("stutter", sequence, [Sample(time=one, cpu_percent=1.0) for one in moments])
        self._witness.made.update(dict.fromkeys(self._keys(batch), False))
        return batch

    def _keys(self, batch: frames.Telemetry) -> list[Key]:
        return [(self.credentials.device_id, microseconds(sample.time)) for sample in batch.samples]

    def _hear(self, frame: frames.CloudFrame) -> None:
        match frame:
            case frames.Ack(error="", sequence=sequence):
                for batch in self._batches[:sequence]:  # it, and everything lower
                    self._witness.made.update(dict.fromkeys(self._keys(batch), True))
            case frames.Ack():
                self._witness.refused.append(f"{frame.sequence}: {frame.error}")
            case frames.Command() if self.peer is not None:
                self._obey(self.peer, frame)
            case _:
                pass

    def _obey(self, peer: Peer, command: frames.Command) -> None:
        """An answer that nobody asked for, the answer, the answer again, and one that says something else."""
        self.orders.setdefault(command.id, "first")
        self._witness.runs[self.credentials.device_id, command.id] += 1
        answers = [
            frames.Response(id=f"{command.id}x", status=frames.SUCCESS, data={"said": "nobody asked"}),
            frames.Response(id=command.id, status=frames.SUCCESS, data={"said": "first"}),
            frames.Response(id=command.id, status=frames.SUCCESS, data={"said": "first"}),
            frames.Response(id=command.id, status=frames.ERROR, error="second thoughts"),
        ]
        self._old += answers[1:]
        for answer in answers:
            peer.say(answer)


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Three lives each, under commands; then the database is asked."""
    async with (
        open_stack(ground, Layout(0, 0, 0, 1), report, mutant=order.mutant) as stack,
        stack.owner() as api,
    ):
        url = f"ws://127.0.0.1:{stack.of('all')[0].port}/tunnel"
        witness = Witness()
        devices = [Stutterer(one, url, order, witness) for one in await stack.enter(order.devices)]
        for life in range(_LIVES):
            await asyncio.gather(*(device.live() for device in devices))
            if not order.mutant:
                ordered = await asyncio.gather(*(_command(api, device, witness) for device in devices))
                report.check(
                    all(ordered), f"life {life + 1}: commands are done, {ordered.count(False)} were not"
                )
            settled = await asyncio.gather(*(device.settled() for device in devices))
            report.check(
                all(settled), f"life {life + 1}: all is acknowledged, {settled.count(False)} were not"
            )
            if life + 1 < _LIVES:
                for device in devices:
                    if device.peer is not None:
                        device.peer.end()
        if not order.mutant:
            await _look(api, devices, report)
        stored = await read_stored(stack.database_url)
        check_samples(report, witness, stored)
        twice = [key for key, count in witness.runs.items() if count > 1]
        report.check(not twice, f"a command is sent once: {len(twice)} came again")
        for device in devices:
            if device.peer is not None:
                device.peer.end()
        for line in stack.failures()[:3]:
            report.check(False, f"no handler fails: {line}")


async def _command(api: httpx2.AsyncClient, device: Stutterer, witness: Witness) -> bool:
    body = {"action": "health_check", "timeout": 10}
    path = f"/devices/{device.credentials.device_id}/commands?wait=10"
    answer = await api.post(path, json=body, timeout=20)
    if answer.status_code not in (200, 202):
        raise CannotRun(f"A command was not taken: {answer.status_code} {answer.text[:300]}")
    witness.orders[answer.json()["id"]] = device.credentials.device_id
    return answer.json()["status"] == "done"


async def _look(api: httpx2.AsyncClient, devices: list[Stutterer], report: Report) -> None:
    """Every command has the first answer, every shadow the last report."""
    changed, late = 0, 0
    for device in devices:
        wire = device.credentials.device_id
        found = (await api.get(f"/devices/{wire}/commands")).json()["items"]
        changed += sum((one["status"], one["result"]) != ("done", {"said": "first"}) for one in found)
        shadow = (await api.get(f"/devices/{wire}/shadow")).json()
        late += shadow["reported"] != device.last_report
    report.fact("commands", sum(len(device.orders) for device in devices))
    report.check(changed == 0, f"the first answer stands: {changed} commands say something else")
    report.check(late == 0, f"the last report stands: {late} shadows say something else")


DRILL = Drill(
    name="dup-reorder",
    question="Is what devices say twice, late, out of order and after a return kept once, and nothing lost?",
    run=run,
    mutants={"no-cursor": "the hub forgets what it has stored"},
    seconds=1.0,
    devices=12,
)
