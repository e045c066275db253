"""Asking one device, and saying honestly what came of it."""

from dataclasses import dataclass

from edgeflow_cloud import commands, devices
from edgeflow_cloud.commands import Command, CommandStatus, Order
from edgeflow_cloud.edge_nodes.model import Flow, UnusableAnswer, read_flows
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.errors import Conflict, NotFound, Problem
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_protocol.actions import Action

TIMEOUT = 15.0
"""Seconds that a device has for an answer, once it is asked."""


class DeviceRefused(Problem):
    """The device answered that it cannot."""

    status, code, title = 502, "device_refused", "The device refused"


class NotSupportedByDevice(Problem):
    """The device's software does not know what it is asked for."""

    status, code, title = 501, "not_supported_by_device", "Not supported by this device"


class AnswerUnusable(Problem):
    """The device answered something else than what it was asked for."""

    status, code, title = 502, "answer_unusable", "Unusable answer"


class NoAnswerYet(Problem):
    """The device was asked and has not answered."""

    status, code, title = 504, "device_not_answering", "The device does not answer"


class EditorNotAvailable(Problem):
    """The stream to a device's own editor is not built yet."""

    status, code, title = 501, "editor_stream_not_available", "Not available yet"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to ask, on whose behalf, and how many seconds to wait for it."""

    context: Context
    principal: Principal
    device_id: DeviceId
    wait: float


async def ask(asked: Asked, action: Action, payload: dict[str, object] | None = None) -> Command:
    """Have the device do it; the command, which is done.

    Raises DeviceOffline, DeviceRefused, NotSupportedByDevice, NoAnswerYet, and what `commands.run_command` raises.
    """
    order = Order(device_id=asked.device_id, action=action.value, payload=payload or {}, timeout=TIMEOUT)
    command = await commands.run_command(asked.context, asked.principal, order, wait=asked.wait)
    if command.status is CommandStatus.DONE:
        return command
    extra: dict[str, object] = {"command_id": command.wire_id, "command_status": command.status.value}
    if command.status is CommandStatus.FAILED:
        said = command.error or "no reason was given"
        if "unknown action" in said.lower():
            raise NotSupportedByDevice(
                f"This device's software does not know {action.value}. The EdgeFlow agent does: update the device.",
                extra=extra,
            )
        raise DeviceRefused(f"The device answered: {said}", extra=extra)
    if command.is_final:
        raise NoAnswerYet(command.error or "What became of it is not known.", extra=extra)
    raise NoAnswerYet(
        f"The device did not answer within {asked.wait:g} seconds; it may yet. Read the command {command.wire_id} for "
        "its answer, or ask again with a longer `wait`.",
        extra=extra,
    )


async def find_flow(asked: Asked, flow_id: str) -> tuple[Command, Flow | None]:
    """The flow out of the device's list, for a client that cannot show one alone. Raises as `ask`, AnswerUnusable."""
    command = await ask(asked, Action.LIST_FLOWS)
    try:
        flows = read_flows(command.result)
    except UnusableAnswer as fault:
        raise unusable(command, fault) from None
    return command, next((flow for flow in flows if flow.id == flow_id), None)


async def switch_flow(asked: Asked, action: Action, flow_id: str) -> Command:
    """Start or stop a flow. Raises as `ask`, NotFound (`flow_not_on_device`), Conflict (`flow_already_running`)."""
    try:
        return await ask(asked, action, {"flow_id": flow_id})
    except DeviceRefused as refusal:
        said = refusal.detail.lower()
        if "not found" in said or "there is no flow" in said:
            raise no_such_flow(refusal.extra) from None
        if "already running" in said:
            raise Conflict(
                "This flow already runs on the device; stop it first to start it anew.",
                code="flow_already_running",
                extra=refusal.extra,
            ) from None
        raise


async def refuse_editor(asked: Asked) -> EditorNotAvailable:
    """Why there is no address of the device's editor, and what to do instead. Raises NotFound (no device)."""
    async with asked.context.db.tenant_tx(asked.principal) as tx:
        device = await devices.find_device(tx, asked.principal, asked.device_id)
    address = device.network.get("ip_address")
    near = (
        f" In its own network it is at http://{address}:8080." if isinstance(address, str) and address else ""
    )
    return EditorNotAvailable(
        "The device's editor cannot be used through the tunnel yet: that needs byte streams, which come with a later "
        f"release of cloud and agent.{near} Flows can be read and switched here at …/flows."
    )


def no_such_flow(extra: dict[str, object] | None = None) -> NotFound:
    """The device has no flow of that id."""
    return NotFound(
        "There is no such flow on this device; …/flows lists those that there are.",
        code="flow_not_on_device",
        extra=extra,
    )


def unusable(command: Command, fault: UnusableAnswer) -> AnswerUnusable:
    """What the device answered cannot be read; the command has it as it came."""
    return AnswerUnusable(
        f"The device's answer to {command.action} cannot be used: {fault}. The command {command.wire_id} holds it "
        "unchanged.",
        extra={"command_id": command.wire_id},
    )
