"""From a frame of events or lines to rows. Pure."""

from datetime import datetime

import msgspec

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry.live import EVENTS, EXECUTIONS, LOGS
from edgeflow_cloud.telemetry.model import AHEAD, KEEP, UNSET, Batch, Row
from edgeflow_protocol import frames
from edgeflow_protocol.reports import MAX_NODES, MAX_TEXT, DeviceEvent, ExecutionEvent, LogLine, NodeRun

_NAME = 256


def place(time: datetime, received_at: datetime) -> datetime | None:
    """When it was: the device's time where it is believable, else when it came; None when it is too old to keep."""
    if time < UNSET or time > received_at + AHEAD:
        return received_at
    return None if time < received_at - KEEP else time


def events_batch(
    tenant_id: TenantId, device_id: DeviceId, frame: frames.Events, received_at: datetime
) -> Batch:
    """The rows of one `events` frame. Of two reports of one execution the later holds, but an end stays an end."""
    batch = Batch(tenant_id, device_id, frame.boot_id, frame.sequence, [], [], stream=EVENTS)
    for event in frame.events:
        if isinstance(event, ExecutionEvent):
            started_at = place(event.started_at, received_at)
            if started_at is None:
                continue
            known = batch.executions.get(event.execution_id)
            if known is None or known[STATUS] == "running":
                batch.executions[event.execution_id] = _execution(
                    tenant_id, device_id, event, started_at, received_at
                )
            batch.shown.append((EXECUTIONS, event))
        elif (time := place(event.time, received_at)) is not None:
            batch.events.append(event_row(tenant_id, device_id, event, time, received_at, source="device"))
            batch.shown.append((EVENTS, event))
    return batch


def logs_batch(tenant_id: TenantId, device_id: DeviceId, frame: frames.Logs, received_at: datetime) -> Batch:
    """The rows of one `logs` frame."""
    batch = Batch(tenant_id, device_id, frame.boot_id, frame.sequence, [], [], stream=LOGS)
    for line in frame.lines:
        if (time := place(line.time, received_at)) is not None:
            batch.lines.append(_line(tenant_id, device_id, line, time, received_at))
            batch.shown.append((LOGS, line))
    return batch


STATUS = 5
"""Where an execution's row has its status."""


def _execution(
    tenant_id: TenantId,
    device_id: DeviceId,
    event: ExecutionEvent,
    started_at: datetime,
    received_at: datetime,
) -> Row:
    return (
        tenant_id,
        device_id,
        event.execution_id,
        event.flow_id,
        event.flow_name[:_NAME],
        event.status,
        event.trigger[:_NAME],
        started_at,
        None if event.finished_at is None else place(event.finished_at, received_at),
        event.error[:MAX_TEXT],
        msgspec.json.encode([_node(node) for node in event.nodes[:MAX_NODES]]).decode(),
        received_at,
    )


def _node(node: NodeRun) -> dict[str, object]:
    return {
        "node_id": node.node_id,
        "node_type": node.node_type[:_NAME],
        "name": node.name[:_NAME],
        "status": node.status,
        "started_at": node.started_at,
        "duration_ms": node.duration_ms,
        "messages_in": node.messages_in,
        "messages_out": node.messages_out,
        "error": node.error[:MAX_TEXT],
    }


def event_row(
    tenant_id: TenantId,
    device_id: DeviceId,
    event: DeviceEvent,
    time: datetime,
    received_at: datetime,
    *,
    source: str,
) -> Row:
    """One event as it is stored; `source` is `device`, or `cloud` for what we noticed of a device."""
    return (
        tenant_id,
        device_id,
        ids.new(),
        time,
        received_at,
        source,
        event.code,
        event.level,
        event.message[:MAX_TEXT],
        event.flow_id[:_NAME] or None,
        event.data,
    )


def _line(
    tenant_id: TenantId, device_id: DeviceId, line: LogLine, time: datetime, received_at: datetime
) -> Row:
    return (
        tenant_id,
        device_id,
        ids.new(),
        time,
        received_at,
        line.level,
        line.source[:_NAME],
        line.message[:MAX_TEXT],
        line.flow_id[:_NAME] or None,
        line.node_id[:_NAME] or None,
    )
