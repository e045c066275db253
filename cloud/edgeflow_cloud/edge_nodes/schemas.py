"""HTTP bodies of the shortcuts. Each names the command whose `result` holds the device's answer unchanged."""

from pydantic import Field

from edgeflow_cloud.infra.http import Document
from edgeflow_cloud.kernel.ids import CommandIdField, DeviceIdField


class EdgeNodeDocument(Document):
    """Base of what a device answered."""

    device_id: DeviceIdField
    command_id: CommandIdField = Field(description="The command whose `result` is the answer as it came.")


class HealthDocument(EdgeNodeDocument):
    """How the device says it is."""

    status: str
    uptime_seconds: float | None = Field(description="null from a field client, which sends text.")
    version: str | None


class NodeTypesDocument(EdgeNodeDocument):
    """What flows on the device can be made of."""

    node_types: list[dict[str, object]] = Field(
        description="Catalogue entries; each has at least its `type`."
    )
    count: int


class FlowNodeDocument(Document):
    """A node, however the device keeps it."""

    id: str
    type: str
    name: str
    config: dict[str, object]


class FlowWireDocument(Document):
    """A connection from an output of one node to another."""

    source: str
    target: str
    output: int


class FlowSummary(Document):
    """A flow in the device's list."""

    id: str
    name: str
    description: str
    status: str = Field(
        description="idle, running, stopped or error; unknown where the device cannot tell (field client)."
    )
    node_count: int


class FlowsDocument(EdgeNodeDocument):
    """The flows on the device."""

    flows: list[FlowSummary]


class FlowDocument(EdgeNodeDocument, FlowSummary):
    """One flow, whole."""

    nodes: list[FlowNodeDocument]
    connections: list[FlowWireDocument]


class FlowStateDocument(EdgeNodeDocument):
    """What became of a flow that was started or stopped."""

    flow_id: str
    status: str = Field(description="running or stopped.")
    execution_id: str | None = Field(description="null where the device does not tell (field client).")


class SystemMetricsDocument(EdgeNodeDocument):
    """Readings of this moment, in the published shape; what the device does not measure is null or missing."""

    hostname: str | None
    os: str | None
    arch: str | None
    board_model: str | None
    uptime: float | None = Field(description="Seconds.")
    temperature: float | None = Field(description="Degrees Celsius.")
    cpu: dict[str, float]
    memory: dict[str, float]
    swap: dict[str, float]
    load_avg: dict[str, float]
    network: dict[str, float]


class EdgeExecution(Document):
    """One run of a flow, as the device remembers it."""

    id: str
    flow_id: str
    flow_name: str
    status: str = Field(description="running, succeeded, failed or cancelled.")
    started_at: str | None = Field(description="As the device tells it.")
    finished_at: str | None
    duration_ms: float | None
    error: str | None


class EdgeExecutionsDocument(EdgeNodeDocument):
    """What the device remembers; a field client remembers nothing. The cloud's own record is at
    `/devices/{id}/executions`."""

    executions: list[EdgeExecution]


class PinDocument(Document):
    """A pin in use."""

    pin: int = Field(description="BCM number.")
    mode: str
    value: float | None


class GpioDocument(EdgeNodeDocument):
    """The device's pins."""

    available: bool
    message: str | None = Field(description="Why there are none.")
    board: str | None
    chip: str | None
    capabilities: dict[str, object]
    pins: list[PinDocument]
