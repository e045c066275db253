"""HTTP bodies of executions, events and log lines."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from edgeflow_cloud.infra.http import Document
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceIdField, WireId


class ExecutionNode(Document):
    """What one node did in an execution."""

    node_id: str
    node_type: str = ""
    name: str = ""
    status: str
    started_at: datetime
    duration_ms: float = Field(description="Its work, all messages together.")
    messages_in: int
    messages_out: int
    error: str = ""


class ExecutionDocument(Document):
    """One execution of a flow on a device."""

    execution_id: str = Field(description="As the device names it.")
    device_id: DeviceIdField
    flow_id: str
    flow_name: str
    status: str = Field(description="running, succeeded, failed or cancelled.")
    trigger: str = Field(description="The node that it began at, or what else began it.")
    started_at: datetime
    finished_at: datetime | None
    error: str


class ExecutionDetail(ExecutionDocument):
    """One execution with its nodes."""

    nodes: list[ExecutionNode]


class DeviceEventDocument(Document):
    """Something that happened on a device, or that the cloud noticed of it."""

    id: Annotated[UUID, WireId(ids.EVENT)]
    device_id: DeviceIdField
    time: datetime
    received_at: datetime
    source: str = Field(description="Who says so: device or cloud.")
    code: str
    level: str = Field(description="info, warning or error.")
    message: str
    flow_id: str | None
    data: dict[str, object]


class LogLineDocument(Document):
    """One line of a device's log."""

    id: UUID
    time: datetime
    received_at: datetime
    level: str = Field(description="debug, info, warning or error.")
    source: str
    message: str
    flow_id: str | None
    node_id: str | None
