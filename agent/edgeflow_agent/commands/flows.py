"""The flow commands: `list_flows get_flow start_flow stop_flow create_flow update_flow delete_flow get_executions`,
and `get_node_types`, which is ours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from ..deploy import Origin
from ..engine import Engine
from ..flows import FlowProblem, Flows
from ..link import CallFailed
from ..state import StateError
from .verb import CommandError, Verb

_MOST_EXECUTIONS = 100


def make_flow_verbs(flows: Flows, engine: Engine) -> dict[str, Verb]:
    """Each by its action's name."""

    async def list_flows(payload: Mapping[str, object]) -> object:
        del payload
        return {"flows": flows.list()}

    async def get_flow(payload: Mapping[str, object]) -> object:
        return flows.get(_flow_id(payload))

    async def start_flow(payload: Mapping[str, object]) -> object:
        flow_id = _flow_id(payload)
        execution_id = await flows.start(flow_id)
        return {"flow_id": flow_id, "status": "started", "execution_id": execution_id}

    async def stop_flow(payload: Mapping[str, object]) -> object:
        flow_id = _flow_id(payload)
        await flows.stop(flow_id)
        return {"flow_id": flow_id, "status": "stopped"}

    async def create_flow(payload: Mapping[str, object]) -> object:
        return await flows.create(payload, Origin.COMMAND)

    async def update_flow(payload: Mapping[str, object]) -> object:
        return await flows.update(_flow_id(payload), payload, Origin.COMMAND)

    async def delete_flow(payload: Mapping[str, object]) -> object:
        flow_id = _flow_id(payload)
        await flows.delete(flow_id, Origin.COMMAND)
        return {"flow_id": flow_id}

    async def get_executions(payload: Mapping[str, object]) -> object:
        flow_id, status, limit = payload.get("flow_id"), payload.get("status"), payload.get("limit")
        if (
            not isinstance(limit, (int, float))
            or isinstance(limit, bool)
            or not 1 <= limit <= _MOST_EXECUTIONS
        ):
            limit = _MOST_EXECUTIONS
        found = engine.executions(
            flow_id if isinstance(flow_id, str) and flow_id else None,
            status if isinstance(status, str) and status else None,
            int(limit),
        )
        return {"executions": msgspec.to_builtins(found)}

    async def get_node_types(payload: Mapping[str, object]) -> object:
        wanted = payload.get("type")
        types = await asyncio.to_thread(engine.node_types)
        if isinstance(wanted, str) and wanted:
            types = [each for each in types if each["type"] == wanted]
            if not types:
                raise CommandError(f"There is no node type {wanted[:64]} on this device.")
        return {"node_types": types, "count": len(types)}

    verbs: dict[str, Verb] = {
        "list_flows": list_flows,
        "get_flow": get_flow,
        "start_flow": start_flow,
        "stop_flow": stop_flow,
        "create_flow": create_flow,
        "update_flow": update_flow,
        "delete_flow": delete_flow,
        "get_executions": get_executions,
        "get_node_types": get_node_types,
    }
    return {action: _say(verb) for action, verb in verbs.items()}


def _say(verb: Verb) -> Verb:
    """What a flow cannot do is the command's answer."""

    async def run(payload: Mapping[str, object]) -> object:
        try:
            return await verb(payload)
        except (FlowProblem, StateError, CallFailed) as error:
            raise CommandError(str(error)) from error

    return run


def _flow_id(payload: Mapping[str, object]) -> str:
    for name in ("flow_id", "id"):
        found = payload.get(name)
        if isinstance(found, str) and found:
            return found
    raise CommandError("This needs `flow_id`: list_flows shows the flows that there are.")
