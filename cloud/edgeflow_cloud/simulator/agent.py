"""A negotiating device: telemetry kept until it is acknowledged, shadow, commands at most once."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from random import Random
from typing import ClassVar

from edgeflow_cloud.simulator.answers import VERSION, Flows, Refused, agent_answer
from edgeflow_cloud.simulator.credentials import Credentials
from edgeflow_cloud.simulator.faults import Ailments
from edgeflow_cloud.simulator.machine import Device
from edgeflow_cloud.simulator.samples import Gauge
from edgeflow_cloud.simulator.surroundings import Surroundings
from edgeflow_protocol import encode, frames
from edgeflow_protocol.capabilities import Capability

WINDOW = 4
"""Batches in flight, as the real agent."""
_SPOOL = 600
"""Batches that are kept while the cloud is away; then the oldest go, and are counted."""
_JOURNAL = 2_000


class Pending:
    """A sealed batch: number and content belong together for ever."""

    __slots__ = ("body", "boot_id", "count", "sent_at", "sequence")

    def __init__(self, boot_id: str, sequence: int, count: int, body: bytes) -> None:
        self.boot_id = boot_id
        self.sequence = sequence
        self.count = count
        self.body = body
        self.sent_at = 0.0


class AgentDevice(Device):
    """As edgeflow-agent. Its spool and its journal are on disk: a crash keeps them."""

    profile: ClassVar[str] = "agent"

    __slots__ = (
        "_capabilities",
        "_flows",
        "_flying",
        "_gauge",
        "_journal",
        "_make",
        "_resend",
        "_sequence",
        "_spool",
    )

    def __init__(
        self, around: Surroundings, credentials: Credentials, ailments: Ailments, dice: Random
    ) -> None:
        super().__init__(around, credentials, ailments, dice)
        self._capabilities: frozenset[str] = frozenset()
        self._gauge = Gauge(dice)
        self._spool: deque[Pending] = deque()
        self._flying = 0
        self._sequence = 0
        self._journal: dict[str, bytes | None] | None = None
        self._flows = Flows()
        self._make: asyncio.TimerHandle | None = None
        self._resend: asyncio.TimerHandle | None = None

    @property
    def unacknowledged(self) -> int:
        """Batches that the cloud has not acknowledged."""
        return len(self._spool)

    def start(self, after: float = 0.0) -> None:
        super().start(after)
        load = self.around.load
        if load.rate > 0 and self._make is None:
            # A random phase: a fleet does not measure in step.
            self._schedule_sample(self.dice.uniform(0.0, load.batch / load.rate))

    def quiet(self) -> None:
        """Make no more samples; what is there is still sent."""
        if self._make is not None:
            self._make.cancel()
            self._make = None

    def stop(self) -> None:
        self.quiet()
        self._cancel_resend()
        super().stop()

    def kill(self) -> None:
        self.quiet()
        self._cancel_resend()
        super().kill()

    def hello(self) -> frames.Connect:
        return frames.Connect(
            device_id=self.device_id,
            api_key=self.credentials.api_key,
            version=VERSION,
            capabilities=[Capability.TELEMETRY, Capability.SHADOW],
            boot_id=self.boot_id,
        )

    def welcomed(self, connected: frames.Connected) -> None:
        self._capabilities = frozenset(connected.capabilities)
        self._flying = 0
        if Capability.SHADOW in self._capabilities:
            self.report({"agent_version": VERSION, "simulated": True})
        self._send_batches()

    def lost(self) -> None:
        self._flying = 0
        self._cancel_resend()

    def restarted(self) -> None:
        self._sequence = 0
        self._gauge.restart()

    def report(self, change: dict[str, object]) -> None:
        """Say something of its reported state."""
        if self.line is not None:
            self.around.tally.shadows_reported += 1
            self.line.send(
                encode(frames.ShadowReported(id=f"{self.dice.getrandbits(48):x}", reported=change))
            )

    def take(self, frame: frames.CloudFrame) -> None:
        match frame:
            case frames.Ack():
                self._acknowledged(frame)
            case frames.Command():
                self._obey(frame)
            case frames.ShadowDesired(delta=delta):
                self.around.tally.shadow_pushes += 1
                if delta:
                    self.report(dict(delta))
            case frames.ShadowAccepted():
                self.around.tally.shadows_accepted += 1
            case _:
                pass

    # --- telemetry

    def _schedule_sample(self, after: float) -> None:
        self._make = asyncio.get_running_loop().call_later(after, self._sample)

    def _sample(self) -> None:
        load = self.around.load
        self._schedule_sample(load.batch / load.rate)
        self.make_batch(load.batch, 1.0 / load.rate)

    def make_batch(self, count: int, apart: float) -> None:
        """Measure, seal, keep, and send as soon as there is room."""
        samples = self._gauge.take(count, self.now(), apart)
        self._sequence += 1
        tally = self.around.tally
        tally.samples_made += count
        if len(self._spool) >= _SPOOL:
            tally.samples_dropped += self._spool.popleft().count
            self._flying = max(0, self._flying - 1)
        body = encode(frames.Telemetry(self.boot_id, self._sequence, samples))
        self._spool.append(Pending(self.boot_id, self._sequence, count, body))
        self.around.watch.made(
            self.device_id, self.boot_id, self._sequence, [sample.time for sample in samples]
        )
        self._send_batches()

    def _send_batches(self) -> None:
        line = self.line
        if line is None or not self.is_in or Capability.TELEMETRY not in self._capabilities:
            return
        now = time.monotonic()
        while self._flying < min(WINDOW, len(self._spool)):
            pending = self._spool[self._flying]
            pending.sent_at = now
            self._flying += 1
            self.around.tally.samples_sent += pending.count
            if not line.send(pending.body):
                return
        if self._flying and self._resend is None:
            self._resend = asyncio.get_running_loop().call_later(self.around.pace.answer, self._send_again)

    def _send_again(self) -> None:
        """No acknowledgement for long: what is in flight is sent once more."""
        self._resend = None
        self._flying = 0
        self._send_batches()

    def _acknowledged(self, ack: frames.Ack) -> None:
        tally, now = self.around.tally, time.monotonic()
        for index in range(self._flying):
            pending = self._spool[index]
            if (pending.boot_id, pending.sequence) == (ack.boot_id, ack.sequence):
                break
        else:
            return  # of something that is not in flight: not believed
        self._cancel_resend()
        if ack.error:
            del self._spool[index]
            self._flying -= 1
            tally.samples_refused += pending.count
            self.around.watch.acknowledged(self.device_id, ack.boot_id, ack.sequence, ack.error)
        else:
            kept = deque[Pending]()
            for _ in range(index + 1):
                one = self._spool.popleft()
                if one.boot_id != ack.boot_id:  # an earlier run's, which this says nothing of
                    kept.append(one)
                    continue
                self._flying -= 1
                tally.samples_acked += one.count
                tally.ack_latency.add(now - one.sent_at)
                self.around.watch.acknowledged(self.device_id, one.boot_id, one.sequence, "")
            self._spool.extendleft(reversed(kept))
        self._send_batches()

    def _cancel_resend(self) -> None:
        if self._resend is not None:
            self._resend.cancel()
            self._resend = None

    # --- commands

    def _obey(self, command: frames.Command) -> None:
        tally, line = self.around.tally, self.line
        tally.commands_received += 1
        if self._journal is None:
            self._journal = {}
        if command.id in self._journal:
            tally.commands_repeated += 1
            body = self._journal[command.id]
        else:
            body = self._journal[command.id] = encode(self._run(command))
            while len(self._journal) > _JOURNAL:
                del self._journal[next(iter(self._journal))]
        if line is not None and body is not None and line.send(body):
            tally.commands_answered += 1

    def _run(self, command: frames.Command) -> frames.Response:
        self.around.watch.ran(self.device_id, command.id, command.action)
        try:
            data = agent_answer(self._flows, command.action, command.payload, self.uptime)
        except Refused as refused:
            return frames.Response(id=command.id, status=frames.ERROR, error=str(refused))
        return frames.Response(id=command.id, status=frames.SUCCESS, data=data)
