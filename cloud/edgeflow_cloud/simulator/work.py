"""What a simulated plant does: two flows that run, now and then fail, and say so. Cheap, and plausible."""

from datetime import datetime, timedelta
from random import Random

import msgspec

from edgeflow_cloud.simulator.samples import Gauge
from edgeflow_protocol.reports import DeviceEvent, Event, ExecutionEvent, LogLine, NodeRun
from edgeflow_protocol.telemetry import FlowTotals, Sample

_FLOWS = {
    "flow_boiler": (
        "Boiler watch",
        (("inject", "Every 10 s"), ("function", "To bar"), ("mqtt-out", "Publish")),
    ),
    "flow_counter": (
        "Piece counter",
        (("gpio-in", "Light barrier"), ("function", "Count"), ("debug", "Show")),
    ),
}
_FAIL, _EVENT = 0.06, 0.1
"""How often an execution fails, and something happens to the device."""


class Work:
    """The flows of one device. `step` ends what runs and begins the next."""

    __slots__ = ("_dice", "_running", "failed", "total")

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._running: ExecutionEvent | None = None
        self.total = 0
        self.failed = 0

    def totals(self) -> FlowTotals:
        """As a sample has them."""
        return FlowTotals(
            total=len(_FLOWS) + 1,
            running=len(_FLOWS),
            stopped=1,
            executions_total=self.total,
            executions_failed=self.failed,
        )

    def step(self, now: datetime) -> tuple[list[Event], list[LogLine]]:
        """Events and log lines since the last step."""
        events: list[Event] = []
        lines: list[LogLine] = []
        if self._running is not None:
            ended = self._end(self._running, now)
            events.append(ended)
            lines += [
                LogLine(
                    time=node.started_at,
                    level="error" if node.error else "debug",
                    message=node.error or f"{node.messages_in} in, {node.messages_out} out",
                    source=node.node_type,
                    flow_id=ended.flow_id,
                    node_id=node.node_id,
                )
                for node in ended.nodes
            ]
        self._running = self._begin(now)
        events.append(self._running)
        lines.append(
            LogLine(now, "info", f"{self._running.flow_name} started", "flows", self._running.flow_id)
        )
        if self._dice.random() < _EVENT:
            events.append(
                DeviceEvent(now, "temperature_high", "warning", "Hotter than 70 °C.", data={"celsius": 71.5})
            )
        return events, lines

    def restart(self, now: datetime) -> DeviceEvent:
        """The device was switched off and on: what ran is never told of again."""
        self._running, self.total, self.failed = None, 0, 0
        return DeviceEvent(now, "agent_started", "info", "The agent was started.")

    def _begin(self, now: datetime) -> ExecutionEvent:
        dice = self._dice
        flow_id = dice.choice(list(_FLOWS))
        return ExecutionEvent(
            execution_id=f"exec_{dice.getrandbits(64):016x}",
            flow_id=flow_id,
            status="running",
            started_at=now,
            flow_name=_FLOWS[flow_id][0],
            trigger="timer",
        )

    def _end(self, run: ExecutionEvent, now: datetime) -> ExecutionEvent:
        dice = self._dice
        parts = _FLOWS[run.flow_id][1]
        broken = dice.randrange(len(parts)) if dice.random() < _FAIL else len(parts)
        nodes: list[NodeRun] = []
        begin = run.started_at
        for number, (kind, name) in enumerate(parts[: broken + 1]):
            failed, duration = number == broken, round(dice.uniform(0.2, 12.0), 2)
            nodes.append(
                NodeRun(
                    node_id=f"n{number + 1}",
                    status="failed" if failed else "succeeded",
                    started_at=begin,
                    duration_ms=duration,
                    messages_in=int(number > 0),
                    messages_out=int(not failed),
                    node_type=kind,
                    name=name,
                    error=f"{name}: the sensor gave no number." if failed else "",
                )
            )
            begin += timedelta(milliseconds=duration)
        failed = broken < len(parts)
        self.total += 1
        self.failed += failed
        return msgspec.structs.replace(
            run,
            status="failed" if failed else "succeeded",
            finished_at=max(begin, run.started_at),
            error=nodes[-1].error,
            nodes=nodes,
        )


class PlantGauge(Gauge):
    """A gauge with values that the plant names itself, and its flows' numbers."""

    __slots__ = ("_bar", "_pieces", "_work")

    def __init__(self, dice: Random, work: Work) -> None:
        super().__init__(dice)
        self._work = work
        self._bar = dice.uniform(1.0, 3.0)
        self._pieces = 0

    def _sample(self, moment: datetime, apart: float) -> Sample:
        dice = self._dice
        self._bar = min(4.0, max(0.5, self._bar + dice.uniform(-0.05, 0.05)))
        self._pieces += dice.randrange(3)
        return msgspec.structs.replace(
            super()._sample(moment, apart),
            custom={"boiler.bar": round(self._bar, 3), "line.pieces": float(self._pieces)},
            flows=self._work.totals(),
        )
