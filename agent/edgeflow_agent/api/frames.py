"""What `/ws` tells, in the published shapes: `flow_status node_status execution log gpio_state`, and what is ours.

`execution` is one node's work in one execution; `execution_ended` the whole of it; `debug` and `notification` are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import msgspec

from ..engine import DebugShown, Event, Execution, ExecutionEnded, FlowChanged, LogWritten, StatusShown

Frame = tuple[str, dict[str, object]]
"""A frame's type and its data."""
_LEVELS = {"warning": "warn"}


def describe_event(event: Event) -> list[Frame]:
    """The frames that tell an event of the engine."""
    match event:
        case ExecutionEnded(execution):
            return _describe_execution(execution)
        case LogWritten():
            return [describe_line(msgspec.structs.asdict(event) | {"source": "flow"})]
        case FlowChanged():
            return _describe_change(event)
        case StatusShown():
            return [("node_status", {**msgspec.structs.asdict(event), "action": "status"})]
        case DebugShown():
            return [("debug", msgspec.structs.asdict(event))]
        case _:
            assert_never(event)


def describe_line(line: Mapping[str, object]) -> Frame:
    """A line of the device's log, or of a flow."""
    level = str(line.get("level"))
    fields = {key: line[key] for key in ("flow_id", "node_id") if line.get(key)}
    return "log", {**line, "level": _LEVELS.get(level, level), "fields": fields}


def _describe_change(event: FlowChanged) -> list[Frame]:
    status: dict[str, object] = {
        "flow_id": event.flow_id,
        "action": event.action,
        "name": event.name,
        "status": event.status,
    }
    if event.error:
        status["error"] = event.error
    frames: list[Frame] = [("flow_status", status)]
    for action, nodes in (("added", event.added), ("removed", event.removed)):
        for node_id, kind in nodes.items():
            frames.append(
                (
                    "node_status",
                    {"flow_id": event.flow_id, "node_id": node_id, "action": action, "type": kind},
                )
            )
    return frames


def _describe_execution(execution: Execution) -> list[Frame]:
    frames: list[Frame] = [
        (
            "execution",
            {
                "flow_id": execution.flow_id,
                "execution_id": execution.execution_id,
                "node_id": node.node_id,
                "node_name": node.name,
                "node_type": node.node_type,
                "status": "error" if node.status == "failed" else "success",
                "input": node.input,
                "output": node.output,
                "error": node.error,
                "execution_time": round(node.duration_ms),
                "timestamp": round(node.started_at.timestamp() * 1000),
                "messages_in": node.messages_in,
                "messages_out": node.messages_out,
            },
        )
        for node in execution.nodes
    ]
    whole = msgspec.structs.asdict(execution)
    del whole["nodes"]
    return [*frames, ("execution_ended", whole)]
