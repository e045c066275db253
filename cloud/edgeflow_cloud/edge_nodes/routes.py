"""HTTP of the published shortcuts: `/edge-nodes/{device_id}/…`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

from fastapi import Path, Query

from edgeflow_cloud.commands import Command
from edgeflow_cloud.edge_nodes import model, service
from edgeflow_cloud.edge_nodes.model import UnusableAnswer
from edgeflow_cloud.edge_nodes.schemas import (
    EdgeExecutionsDocument,
    EdgeNodeDocument,
    FlowDocument,
    FlowsDocument,
    FlowStateDocument,
    GpioDocument,
    HealthDocument,
    NodeTypesDocument,
    SystemMetricsDocument,
)
from edgeflow_cloud.edge_nodes.service import Asked, DeviceRefused
from edgeflow_cloud.infra.http import Caller, Ctx, Router, problem
from edgeflow_cloud.kernel.ids import DeviceIdField
from edgeflow_protocol.actions import Action

router = Router(tag="edge nodes")
_FAULTS: dict[int | str, dict[str, object]] = {
    501: problem("The device's software, or ours, cannot do this"),
    502: problem("The device refused, or answered something else; `command_id` has what it said"),
    504: problem("The device was asked and has not answered; `command_id` may have its answer later"),
}
Wait = Annotated[float, Query(ge=1, le=60, description="Seconds to wait for the device's answer.")]
FlowId = Annotated[str, Path(min_length=1, max_length=200, description="As the device names it.")]
Shape = TypeVar("Shape", bound=EdgeNodeDocument)


@router.get("/edge-nodes/{device_id}/health", "devices:view", transaction=False, responses=_FAULTS)
async def get_edge_health(
    ctx: Ctx, caller: Caller, device_id: DeviceIdField, wait: Wait = 15
) -> HealthDocument:
    """How the device says it is. 409 `device_offline`: it is away; 504: it does not answer."""
    command = await service.ask(Asked(ctx, caller, device_id, wait), Action.HEALTH_CHECK)
    return _show(HealthDocument, command, _read(command, model.read_health))


@router.get("/edge-nodes/{device_id}/node-types", "devices:view", transaction=False, responses=_FAULTS)
async def get_edge_node_types(
    ctx: Ctx, caller: Caller, device_id: DeviceIdField, wait: Wait = 15
) -> NodeTypesDocument:
    """What flows on the device can be made of. 501 `not_supported_by_device` from a field client."""
    command = await service.ask(Asked(ctx, caller, device_id, wait), Action.GET_NODE_TYPES)
    types = _read(command, model.read_node_types)
    return _show(NodeTypesDocument, command, {"node_types": types, "count": len(types)})


@router.get("/edge-nodes/{device_id}/editor-url", "devices:view", transaction=False, responses=_FAULTS)
async def get_editor_url(ctx: Ctx, caller: Caller, device_id: DeviceIdField) -> None:
    """Where the device's own editor can be used through the tunnel. Not built yet: 501 `editor_stream_not_available`,
    which says where the editor is in the device's own network."""
    raise await service.refuse_editor(Asked(ctx, caller, device_id, 0))


@router.get("/edge-nodes/{device_id}/flows", "devices:view", transaction=False, responses=_FAULTS)
async def list_edge_flows(
    ctx: Ctx, caller: Caller, device_id: DeviceIdField, wait: Wait = 15
) -> FlowsDocument:
    """The flows on the device. A field client cannot tell which of them run: their status is `unknown`."""
    command = await service.ask(Asked(ctx, caller, device_id, wait), Action.LIST_FLOWS)
    flows = _read(command, model.read_flows)
    return _show(FlowsDocument, command, {"flows": [asdict(flow) for flow in flows]})


@router.get("/edge-nodes/{device_id}/flows/{flow_id}", "devices:view", transaction=False, responses=_FAULTS)
async def get_edge_flow(
    ctx: Ctx, caller: Caller, device_id: DeviceIdField, flow_id: FlowId, wait: Wait = 15
) -> FlowDocument:
    """One flow on the device, whole: nodes as a list and connections by `source` and `target`, however it keeps
    them. A field client always refuses to show one; its list is looked through instead."""
    asked = Asked(ctx, caller, device_id, wait)
    try:
        command = await service.ask(asked, Action.GET_FLOW, {"flow_id": flow_id})
    except DeviceRefused as refusal:
        command, flow = await service.find_flow(asked, flow_id)
        if flow is None:
            raise service.no_such_flow(refusal.extra) from None
        return _show(FlowDocument, command, flow)
    return _show(FlowDocument, command, _read(command, model.read_flow))


@router.post(
    "/edge-nodes/{device_id}/flows/{flow_id}/start", "devices:manage", transaction=False, responses=_FAULTS
)
async def start_edge_flow(
    ctx: Ctx, caller: Caller, device_id: DeviceIdField, flow_id: FlowId, wait: Wait = 15
) -> FlowStateDocument:
    """Start a flow. 404 `flow_not_on_device`, 409 `flow_already_running`, 502 `device_refused` with its reason."""
    asked = Asked(ctx, caller, device_id, wait)
    command = await service.switch_flow(asked, Action.START_FLOW, flow_id)
    return _show(FlowStateDocument, command, _read(command, lambda said: model.read_started(said, flow_id)))


@router.post(
    "/edge-nodes/{device_id}/flows/{flow_id}/stop", "devices:manage", transaction=False, responses=_FAULTS
)
async def stop_edge_flow(
    ctx: Ctx, caller: Caller, device_id: DeviceIdField, flow_id: FlowId, wait: Wait = 15
) -> FlowStateDocument:
    """Stop a flow. A field client answers the same for flows that it does not have."""
    asked = Asked(ctx, caller, device_id, wait)
    command = await service.switch_flow(asked, Action.STOP_FLOW, flow_id)
    return _show(FlowStateDocument, command, _read(command, lambda said: model.read_started(said, flow_id)))


@router.get("/edge-nodes/{device_id}/metrics", "devices:view", transaction=False, responses=_FAULTS)
async def get_edge_metrics(
    ctx: Ctx, caller: Caller, device_id: DeviceIdField, wait: Wait = 15
) -> SystemMetricsDocument:
    """The device's readings of this moment. What it measured before is at `/devices/{id}/metrics`."""
    command = await service.ask(Asked(ctx, caller, device_id, wait), Action.GET_SYSTEM_METRICS)
    return _show(SystemMetricsDocument, command, _read(command, model.read_system_metrics))


@router.get("/edge-nodes/{device_id}/executions", "devices:view", transaction=False, responses=_FAULTS)
async def list_edge_executions(
    ctx: Ctx, caller: Caller, device_id: DeviceIdField, wait: Wait = 15
) -> EdgeExecutionsDocument:
    """The runs of flows that the device remembers; a field client always answers none."""
    command = await service.ask(Asked(ctx, caller, device_id, wait), Action.GET_EXECUTIONS)
    found = _read(command, model.read_executions)
    return _show(EdgeExecutionsDocument, command, {"executions": [asdict(one) for one in found]})


@router.get("/edge-nodes/{device_id}/gpio", "devices:view", transaction=False, responses=_FAULTS)
async def get_edge_gpio(ctx: Ctx, caller: Caller, device_id: DeviceIdField, wait: Wait = 15) -> GpioDocument:
    """The device's pins that are in use, or why it has none."""
    command = await service.ask(Asked(ctx, caller, device_id, wait), Action.GET_GPIO_STATE)
    return _show(GpioDocument, command, _read(command, model.read_gpio))


Read = TypeVar("Read")
Answer = model.Health | model.Flow | model.FlowState | model.SystemMetrics | model.Gpio


def _read(command: Command, read: Callable[[object], Read]) -> Read:
    try:
        return read(command.result)
    except UnusableAnswer as fault:
        raise service.unusable(command, fault) from None


def _show(shape: type[Shape], command: Command, said: Answer | dict[str, object]) -> Shape:
    fields = said if isinstance(said, dict) else asdict(said)
    return shape.model_validate({"device_id": command.device_id, "command_id": command.id, **fields})
