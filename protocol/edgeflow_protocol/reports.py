"""What a device tells of its work: executions of its flows, events of its own, lines of its log.

Times are the device's, RFC 3339 with an offset. A text that has nothing to say is absent.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from .telemetry import AwareTime

ExecutionStatus = Literal["running", "succeeded", "failed", "cancelled"]
EventLevel = Literal["info", "warning", "error"]
LogLevel = Literal["debug", "info", "warning", "error"]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
"""An id or a code: of an execution, a flow, a node, a kind of event."""

MAX_EVENTS = 500
"""Events a frame."""
MAX_NODES = 500
"""Nodes an execution."""
MAX_LINES = 1_000
"""Log lines a frame."""
MAX_TEXT = 8_000
"""Characters of a message or an error; the cloud cuts what is longer."""


class NodeRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one node did in one execution. `duration_ms` is its work, all its messages together."""

    node_id: Key
    status: ExecutionStatus
    started_at: AwareTime
    duration_ms: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    messages_in: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    messages_out: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    node_type: str = ""
    name: str = ""
    error: str = ""


class ExecutionEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="execution"):
    """One execution of a flow as it now is. The same `execution_id` again replaces it, unless it has ended."""

    execution_id: Key
    flow_id: Key
    status: ExecutionStatus
    started_at: AwareTime
    flow_name: str = ""
    trigger: str = ""
    finished_at: AwareTime | None = None
    error: str = ""
    nodes: list[NodeRun] = []


class DeviceEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="device"):
    """Something happened on the device. `code` for programs, `message` for people."""

    time: AwareTime
    code: Key
    level: EventLevel
    message: str = ""
    flow_id: str = ""
    data: dict[str, object] = {}


Event = ExecutionEvent | DeviceEvent


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a log: the agent's own, or a flow's."""

    time: AwareTime
    level: LogLevel
    message: str
    source: str = ""
    flow_id: str = ""
    node_id: str = ""
