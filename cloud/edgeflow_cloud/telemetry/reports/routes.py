"""HTTP of executions, events and log lines."""

from typing import Annotated

from fastapi import Query

from edgeflow_cloud.infra.db import Row
from edgeflow_cloud.infra.http import Caller, Instant, Listing, PageQuery, Router, Tx
from edgeflow_cloud.kernel.ids import DeviceIdField
from edgeflow_cloud.kernel.paging import Slice, decode_cursor
from edgeflow_cloud.telemetry.reports import service
from edgeflow_cloud.telemetry.reports.schemas import (
    DeviceEventDocument,
    ExecutionDetail,
    ExecutionDocument,
    LogLineDocument,
)
from edgeflow_cloud.telemetry.reports.service import Part
from edgeflow_protocol.reports import EventLevel, ExecutionStatus, LogLevel

router = Router(tag="telemetry")

From = Annotated[Instant | None, Query(alias="from", description="RFC 3339; nothing before it.")]
To = Annotated[Instant | None, Query(alias="to", description="RFC 3339; nothing at or after it.")]
Text = Annotated[str | None, Query(max_length=256)]
_WORSE = "This level and worse ones."


@router.get("/devices/{device_id}/executions", "devices:view")
async def list_executions(
    tx: Tx,
    caller: Caller,
    device_id: DeviceIdField,
    page: PageQuery,
    flow_id: Text = None,
    status: Annotated[ExecutionStatus | None, Query(description="Only those in this state.")] = None,
    start: From = None,
    end: To = None,
) -> Listing[ExecutionDocument]:
    """Executions of the device's flows, the newest first, without their nodes."""
    found = await service.list_executions(
        tx, caller, device_id, _part(page, start, end), flow_id=flow_id, status=status
    )
    return Listing(
        items=[ExecutionDocument.model_validate(dict(row)) for row in found.items],
        next_cursor=found.next_cursor,
        total=None,
    )


@router.get("/devices/{device_id}/executions/{execution_id}", "devices:view")
async def get_execution(
    tx: Tx, caller: Caller, device_id: DeviceIdField, execution_id: str
) -> ExecutionDetail:
    """One execution with what each of its nodes did."""
    row = await service.find_execution(tx, caller, device_id, execution_id)
    return ExecutionDetail.model_validate(dict(row))


@router.get("/devices/{device_id}/events", "devices:view")
async def list_device_events(
    tx: Tx,
    caller: Caller,
    device_id: DeviceIdField,
    page: PageQuery,
    level: Annotated[EventLevel | None, Query(description=_WORSE)] = None,
    start: From = None,
    end: To = None,
) -> Listing[DeviceEventDocument]:
    """What happened on the device, and what the cloud noticed of it, the newest first."""
    found = await service.list_events(tx, caller, device_id, _part(page, start, end), level=level)
    return Listing(
        items=[DeviceEventDocument.model_validate(dict(row)) for row in found.items],
        next_cursor=found.next_cursor,
        total=None,
    )


@router.get("/devices/{device_id}/logs", "devices:view")
async def list_device_logs(
    tx: Tx,
    caller: Caller,
    device_id: DeviceIdField,
    page: PageQuery,
    level: Annotated[LogLevel | None, Query(description=_WORSE)] = None,
    source: Text = None,
    search: Annotated[
        str | None, Query(max_length=256, description="Text that the message holds, in any case of letters.")
    ] = None,
    start: From = None,
    end: To = None,
) -> Listing[LogLineDocument]:
    """Lines of the device's log, the newest first."""
    found: Slice[Row] = await service.list_lines(
        tx, caller, device_id, _part(page, start, end), level=level, source=source, search=search or None
    )
    return Listing(
        items=[LogLineDocument.model_validate(dict(row)) for row in found.items],
        next_cursor=found.next_cursor,
        total=None,
    )


def _part(page: PageQuery, start: Instant | None, end: Instant | None) -> Part:
    after = decode_cursor(page.cursor, length=2) if page.cursor else ()
    return Part(start, end, page.limit, after)
