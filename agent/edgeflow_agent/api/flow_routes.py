"""`flows`, `executions` and `node-types`, in the published shapes, with what ours has more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

import msgspec

from ..deploy import Origin
from ..engine import Engine, Execution
from ..flows import FlowProblem, Flows
from .catalogue import describe_categories, describe_entry
from .http import Request, Response

_EXECUTION_STATUS = {"succeeded": "completed", "cancelled": "failed"}


class FlowRoutes:
    """Each method is one route; it raises FlowProblem, which is 404 or 400."""

    def __init__(self, flows: Flows, engine: Engine) -> None:
        self._flows = flows
        self._engine = engine

    async def list_flows(self, request: Request) -> object:
        del request
        shown = [_show(self._flows.get(cast(str, flow["id"]))) for flow in self._flows.list()]
        return {"flows": shown, "count": len(shown)}

    async def create_flow(self, request: Request) -> object:
        payload = read_object(request)
        name = payload.get("name")
        if not isinstance(name, str) or not name.strip():
            raise FlowProblem("A new flow needs a `name`.")
        whole = {"flows", "definition", "bundle"}
        if not payload.keys() & whole:  # As published: what is in it follows by PUT.
            payload.setdefault("nodes", [])
            payload.setdefault("connections", [])
        return Response(201, _show(await self._flows.create(payload, Origin.LOCAL)))

    async def get_flow(self, request: Request, flow_id: str) -> object:
        del request
        return _show(self._flows.get(flow_id))

    async def update_flow(self, request: Request, flow_id: str) -> object:
        return _show(await self._flows.update(flow_id, read_object(request), Origin.LOCAL))

    async def delete_flow(self, request: Request, flow_id: str) -> object:
        del request
        await self._flows.delete(flow_id, Origin.LOCAL)
        return {"message": "Flow deleted", "id": flow_id}

    async def start_flow(self, request: Request, flow_id: str) -> object:
        del request
        execution_id = await self._flows.start(flow_id)
        return {"message": "Flow started", "id": flow_id, "execution_id": execution_id}

    async def stop_flow(self, request: Request, flow_id: str) -> object:
        del request
        await self._flows.stop(flow_id)
        return {"message": "Flow stopped", "id": flow_id}

    async def roll_back_flow(self, request: Request, flow_id: str) -> object:
        del request
        return _show(await self._flows.go_back(flow_id, Origin.LOCAL))

    async def list_executions(self, request: Request) -> object:
        wanted = request.query.get("status")
        found = [_show_execution(run) for run in self._engine.executions(request.query.get("flow_id"))]
        if wanted:
            found = [run for run in found if wanted in (run["status"], run["outcome"])]
        return {"executions": found, "count": len(found)}

    async def get_execution(self, request: Request, execution_id: str) -> object:
        del request
        for run in self._engine.executions():
            if run.execution_id == execution_id:
                return _show_execution(run)
        raise FlowProblem(
            f"There is no execution {execution_id} (any more): the device keeps the newest 100.", missing=True
        )

    async def list_node_types(self, request: Request) -> object:
        del request
        types = await asyncio.to_thread(self._engine.node_types)
        shown = [describe_entry(each) for each in types]
        return {"categories": describe_categories(types), "node_types": shown, "count": len(shown)}

    async def get_node_type(self, request: Request, name: str) -> object:
        del request
        types = await asyncio.to_thread(self._engine.node_types)
        found = next((each for each in types if each["type"] == name), None)
        if found is None:
            raise FlowProblem(f"There is no node type {name} on this device.", missing=True)
        return describe_entry(found)


def read_object(request: Request) -> dict[str, object]:
    return msgspec.json.decode(request.body or b"{}", type=dict[str, object])


def _show(flow: Mapping[str, object]) -> dict[str, object]:
    """As published: nodes as a map by id."""
    nodes = cast("list[dict[str, object]]", flow.get("nodes", []))
    return {**flow, "nodes": {str(node["id"]): node for node in nodes}, "config": {}}


def _show_execution(run: Execution) -> dict[str, object]:
    """The published record; `outcome` is our own word, and `node_events` have both spellings."""
    ended = run.finished_at
    return {
        "id": run.execution_id,
        "flow_id": run.flow_id,
        "flow_name": run.flow_name,
        "status": _EXECUTION_STATUS.get(run.status, run.status),
        "outcome": run.status,
        "trigger": run.trigger,
        "start_time": run.started_at,
        "end_time": ended,
        "duration": round((ended - run.started_at).total_seconds() * 1000) if ended else None,
        "node_count": len(run.nodes),
        "completed_nodes": sum(node.status == "succeeded" for node in run.nodes),
        "error_nodes": sum(node.status == "failed" for node in run.nodes),
        "error": run.error,
        "node_events": [
            {
                "node_id": node.node_id,
                "node_name": node.name,
                "node_type": node.node_type,
                "status": "error" if node.status == "failed" else "success",
                "execution_time": round(node.duration_ms),
                "timestamp": round(node.started_at.timestamp() * 1000),
                "messages_in": node.messages_in,
                "messages_out": node.messages_out,
                **({"error": node.error} if node.error else {}),
            }
            for node in run.nodes
        ],
    }
