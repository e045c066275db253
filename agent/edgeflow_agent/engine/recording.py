"""Counts a flow's executions and makes the records of those that are told.

Every execution is counted. Up to `TRACED_A_SECOND` a second (more after a quiet time) carry what each node did; of the
others, only one that failed leaves a record.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from .host import AnyNode
from .run import Execution, NodeExecution, NodeTrace, Run, instant, new_execution_id

TRACED_A_SECOND = 10
_BURST = 50
_FAILURES_A_SECOND = 10

Keep = Callable[[Execution], None]


class _Named(Protocol):
    @property
    def nodes(self) -> Mapping[str, AnyNode]: ...


class Recorder:
    """The executions of one flow."""

    def __init__(self, flow_id: str, keep: Keep) -> None:
        self.total = 0
        self.failed = 0
        self.last_start = ""
        self.watched = False
        """Whether somebody at the device looks on: then what is told has the messages, too."""
        self.flow_name = ""
        self._flow_id = flow_id
        self._keep = keep
        self._traced: dict[Run, str] = {}
        self._full = time.monotonic()
        self._due = 0.0
        self._told_second = 0
        self._told = 0

    def begin(self, node_id: str) -> Run:
        """A message came into the flow at this node."""
        now = time.monotonic()
        if now < self._due:
            return Run(node_id, False)
        # A bucket of `_BURST` that fills at `TRACED_A_SECOND`, kept as the time at which it would be full.
        self._full = max(self._full, now) + 1 / TRACED_A_SECOND
        self._due = self._full - _BURST / TRACED_A_SECOND
        run = Run(node_id, True, self.watched)
        self._traced[run] = new_execution_id()
        return run

    def begin_start(self) -> Run:
        """The flow starts; that is an execution too, which says how each node started."""
        run = Run("start", True, self.watched)
        self._traced[run] = self.last_start = new_execution_id()
        return run

    def end_start(self, run: Run, flow: _Named, error: str = "") -> None:
        """The flow has started, or not."""
        run.error = error
        self.end(run, flow)

    def end(self, run: Run, flow: _Named) -> None:
        """Everything that the execution caused is handled."""
        run.finished = True
        self.total += 1
        failed = bool(run.error)
        if not run.traced and not failed:
            return
        if failed:
            self.failed += 1
            if not run.traced and not self._may_tell():
                return
            run.began, run.started_at, run.nodes = time.time(), time.perf_counter(), {}
        status = "failed" if failed else "succeeded"
        self._keep(self._record(run, flow, status, finished=True))

    def cancel(self, nodes: Iterable[AnyNode]) -> None:
        """The flow has stopped under them."""
        specs = {node.id: node for node in nodes}
        for run in list(self._traced):
            run.finished = True
            self.total += 1
            record = _describe(
                run, self._traced.pop(run), self._flow_id, self.flow_name, specs, "cancelled", finished=True
            )
            self._keep(record)

    def under_way(self, flow: _Named) -> list[Execution]:
        """The records of those that are not over, newest first."""
        return [
            _describe(run, key, self._flow_id, self.flow_name, flow.nodes, "running", finished=False)
            for run, key in reversed(self._traced.items())
        ]

    def _record(self, run: Run, flow: _Named, status: str, *, finished: bool) -> Execution:
        key = self._traced.pop(run, None) or new_execution_id()
        return _describe(run, key, self._flow_id, self.flow_name, flow.nodes, status, finished=finished)

    def _may_tell(self) -> bool:
        second = int(time.monotonic())
        if second != self._told_second:
            self._told_second, self._told = second, 0
        self._told += 1
        return self._told <= _FAILURES_A_SECOND


def _describe(
    run: Run, key: str, flow_id: str, name: str, nodes: Mapping[str, AnyNode], status: str, *, finished: bool
) -> Execution:
    took = time.perf_counter() - run.started_at
    return Execution(
        execution_id=key,
        flow_id=flow_id,
        flow_name=name,
        status=status,
        trigger=run.trigger,
        started_at=instant(run.began),
        finished_at=instant(run.began + took) if finished else None,
        error=run.error,
        nodes=[_describe_node(node_id, trace, nodes.get(node_id)) for node_id, trace in run.nodes.items()],
    )


def _describe_node(node_id: str, trace: NodeTrace, node: AnyNode | None) -> NodeExecution:
    return NodeExecution(
        node_id=node_id,
        node_type=node.type if node is not None else "",
        name=node.name if node is not None else "",
        status="failed" if trace.error else "running" if trace.under_way else "succeeded",
        started_at=instant(trace.began),
        duration_ms=round(trace.worked * 1000, 3),
        messages_in=trace.received,
        messages_out=trace.out,
        error=trace.error,
        input=trace.input,
        output=trace.output,
    )
