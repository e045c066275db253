"""An agent with flows at work: own values, executions with their nodes, log lines, device events, all acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from random import Random
from typing import ClassVar

from edgeflow_cloud.simulator.agent import AgentDevice, Pending
from edgeflow_cloud.simulator.answers import VERSION
from edgeflow_cloud.simulator.credentials import Credentials
from edgeflow_cloud.simulator.faults import Ailments
from edgeflow_cloud.simulator.surroundings import Surroundings
from edgeflow_cloud.simulator.work import PlantGauge, Work
from edgeflow_protocol import encode, frames
from edgeflow_protocol.capabilities import Capability

EVENTS, LOGS = "events", "logs"
_KEPT = 200
"""Batches of a stream that are kept while the cloud is away; then the oldest go, and are counted."""


class Stream:
    """Numbered batches of one kind of frame: one in flight, sent again until it is acknowledged."""

    __slots__ = ("flying", "kept", "sequence")

    def __init__(self) -> None:
        self.kept: deque[Pending] = deque()
        self.sequence = 0
        self.flying = False


class PlantDevice(AgentDevice):
    """With every batch of samples it ends one execution, begins another, and writes what it did into its log."""

    profile: ClassVar[str] = "plant"

    __slots__ = ("_again", "_streams", "_work")

    def __init__(
        self, around: Surroundings, credentials: Credentials, ailments: Ailments, dice: Random
    ) -> None:
        super().__init__(around, credentials, ailments, dice)
        self._work = Work(dice)
        self._gauge = PlantGauge(dice, self._work)
        self._streams = {EVENTS: Stream(), LOGS: Stream()}
        self._again: asyncio.TimerHandle | None = None

    @property
    def unacknowledged(self) -> int:
        return super().unacknowledged + sum(len(stream.kept) for stream in self._streams.values())

    def hello(self) -> frames.Connect:
        return frames.Connect(
            device_id=self.device_id,
            api_key=self.credentials.api_key,
            version=VERSION,
            capabilities=[Capability.TELEMETRY, Capability.SHADOW, Capability.EVENTS, Capability.LOGS],
            boot_id=self.boot_id,
        )

    def welcomed(self, connected: frames.Connected) -> None:
        super().welcomed(connected)
        self._send_reports(anew=True)

    def lost(self) -> None:
        super().lost()
        self._cancel_again()

    def stop(self) -> None:
        self._cancel_again()
        super().stop()

    def kill(self) -> None:
        self._cancel_again()
        super().kill()

    def restarted(self) -> None:
        super().restarted()
        for stream in self._streams.values():
            stream.sequence = 0
        self._keep(
            EVENTS, 1, frames.Events(self.boot_id, self._number(EVENTS), [self._work.restart(self.now())])
        )

    def make_batch(self, count: int, apart: float) -> None:
        super().make_batch(count, apart)
        events, lines = self._work.step(self.now())
        self._keep(EVENTS, len(events), frames.Events(self.boot_id, self._number(EVENTS), events))
        self._keep(LOGS, len(lines), frames.Logs(self.boot_id, self._number(LOGS), lines))
        self._send_reports()

    def take(self, frame: frames.CloudFrame) -> None:
        if isinstance(frame, frames.Ack) and frame.frame in self._streams:
            self._reported(self._streams[frame.frame], frame)
        else:
            super().take(frame)

    def _number(self, name: str) -> int:
        stream = self._streams[name]
        stream.sequence += 1
        return stream.sequence

    def _keep(self, name: str, count: int, frame: frames.Events | frames.Logs) -> None:
        stream, tally = self._streams[name], self.around.tally
        tally.reports_made += count
        if len(stream.kept) >= _KEPT:
            tally.reports_dropped += stream.kept.popleft().count
            stream.flying = False
        stream.kept.append(Pending(frame.boot_id, frame.sequence, count, encode(frame)))

    def _send_reports(self, *, anew: bool = False) -> None:
        """The head of each stream; `anew`: those in flight, too."""
        if self.line is None or not self.is_in:
            return
        for name, stream in self._streams.items():
            if name not in self._capabilities or not stream.kept or (stream.flying and not anew):
                continue
            stream.flying = True
            stream.kept[0].sent_at = time.monotonic()
            if not self.line.send(stream.kept[0].body):
                return
        if self._again is None and any(stream.flying for stream in self._streams.values()):
            self._again = asyncio.get_running_loop().call_later(self.around.pace.answer, self._report_again)

    def _report_again(self) -> None:
        """No acknowledgement for long."""
        self._again = None
        self._send_reports(anew=True)

    def _reported(self, stream: Stream, ack: frames.Ack) -> None:
        head = stream.kept[0] if stream.kept and stream.flying else None
        if head is None or (head.boot_id, head.sequence) != (ack.boot_id, ack.sequence):
            return  # of something that is not in flight: not believed
        stream.kept.popleft()
        stream.flying = False
        self._cancel_again()
        if ack.error:
            self.around.tally.reports_refused += head.count
        else:
            self.around.tally.reports_acked += head.count
        self._send_reports()

    def _cancel_again(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
