"""`flows/{id}/nodes` and `flows/{id}/connections`: one node or one wire at a time, each change a new version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from uuid import uuid4

from ..deploy import Origin
from ..flows import FlowProblem, Flows
from .flow_routes import read_object
from .http import Request, Response

Part = dict[str, object]
_NODE_KEYS = ("name", "type", "config", "position", "x", "y", "disabled")


class PartRoutes:
    """Each method is one route; it raises FlowProblem, which is 404 or 400."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    async def list_nodes(self, request: Request, flow_id: str) -> object:
        del request
        nodes = self._nodes(flow_id)
        return {"flow_id": flow_id, "nodes": {str(node["id"]): node for node in nodes}, "count": len(nodes)}

    async def create_node(self, request: Request, flow_id: str) -> object:
        given = read_object(request)
        if not isinstance(kind := given.get("type"), str) or not kind:
            raise FlowProblem(
                "A new node needs a `type`, for example inject. node-types shows those that are here."
            )
        nodes = self._nodes(flow_id)
        node_id = given.get("id")
        if not isinstance(node_id, str) or not node_id:
            node_id = str(uuid4())
        if any(node["id"] == node_id for node in nodes):
            raise FlowProblem(f"The flow has a node {node_id} already. Use PUT to change it.")
        made: Part = {"config": {}, **{key: given[key] for key in _NODE_KEYS if key in given}, "id": node_id}
        await self._save(flow_id, nodes=[*nodes, made])
        return Response(201, self._node(flow_id, node_id))

    async def get_node(self, request: Request, flow_id: str, node_id: str) -> object:
        del request
        return self._node(flow_id, node_id)

    async def update_node(self, request: Request, flow_id: str, node_id: str) -> object:
        given = read_object(request)
        change = {key: given[key] for key in _NODE_KEYS if key in given}
        if not change:
            raise FlowProblem("Nothing to change was given: send config, name, type or position.")
        self._node(flow_id, node_id)
        nodes = [_changed(node, change) if node["id"] == node_id else node for node in self._nodes(flow_id)]
        await self._save(flow_id, nodes=nodes)
        return self._node(flow_id, node_id)

    async def delete_node(self, request: Request, flow_id: str, node_id: str) -> object:
        """Its wires go with it."""
        del request
        self._node(flow_id, node_id)
        await self._save(
            flow_id,
            nodes=[node for node in self._nodes(flow_id) if node["id"] != node_id],
            connections=[
                wire for wire in self._connections(flow_id) if node_id not in (wire["source"], wire["target"])
            ],
        )
        return {"message": "Node deleted", "id": node_id}

    async def list_connections(self, request: Request, flow_id: str) -> object:
        del request
        wires = self._connections(flow_id)
        return {"flow_id": flow_id, "connections": wires, "count": len(wires)}

    async def create_connection(self, request: Request, flow_id: str) -> object:
        made = self._read_wire(flow_id, read_object(request))
        before = {str(wire["id"]) for wire in self._connections(flow_id)}
        await self._save(flow_id, connections=[*self._connections(flow_id), made])
        new = next((wire for wire in self._connections(flow_id) if str(wire["id"]) not in before), None)
        if new is None:
            raise FlowProblem("The two are connected like that already.")
        return Response(201, {"message": "Connection created", **new})

    async def get_connection(self, request: Request, flow_id: str, wire_id: str) -> object:
        del request
        return self._connection(flow_id, wire_id)

    async def update_connection(self, request: Request, flow_id: str, wire_id: str) -> object:
        """Its id is made of its ends, so another one comes back."""
        old = self._connection(flow_id, wire_id)
        made = self._read_wire(flow_id, {**old, **_renamed(read_object(request))})
        others = [wire for wire in self._connections(flow_id) if wire["id"] != wire_id]
        known = {str(wire["id"]) for wire in others}
        await self._save(flow_id, connections=[*others, made])
        found = next((wire for wire in self._connections(flow_id) if str(wire["id"]) not in known), None)
        return {"message": "Connection updated", **(found or made)}

    async def delete_connection(self, request: Request, flow_id: str, wire_id: str) -> object:
        del request
        self._connection(flow_id, wire_id)
        wires = [wire for wire in self._connections(flow_id) if wire["id"] != wire_id]
        await self._save(flow_id, connections=wires)
        return {"message": "Connection deleted", "id": wire_id}

    def _nodes(self, flow_id: str) -> list[Part]:
        return cast("list[Part]", self._flows.get(flow_id)["nodes"])

    def _connections(self, flow_id: str) -> list[Part]:
        return cast("list[Part]", self._flows.get(flow_id)["connections"])

    def _node(self, flow_id: str, node_id: str) -> Part:
        found = next((node for node in self._nodes(flow_id) if node["id"] == node_id), None)
        if found is None:
            raise FlowProblem(f"The flow {flow_id} has no node {node_id}.", missing=True)
        return found

    def _connection(self, flow_id: str, wire_id: str) -> Part:
        found = next((wire for wire in self._connections(flow_id) if wire["id"] == wire_id), None)
        if found is None:
            raise FlowProblem(f"The flow {flow_id} has no connection {wire_id}.", missing=True)
        return found

    def _read_wire(self, flow_id: str, given: Part) -> Part:
        wire = _renamed(given)
        for end in ("source", "target"):
            if not isinstance(name := wire.get(end), str) or not name:
                raise FlowProblem(f"A connection needs `{end}_id`: the id of a node of the flow.")
            self._node(flow_id, name)
        return {key: wire[key] for key in ("source", "target", "sourceOutput") if wire.get(key) is not None}

    async def _save(self, flow_id: str, **parts: object) -> None:
        await self._flows.update(flow_id, parts, Origin.LOCAL)


def _renamed(given: Mapping[str, object]) -> Part:
    """`source_id`, `target_id` and `source_output` win over what they are called on the disk."""
    names = {"source_id": "source", "target_id": "target", "source_output": "sourceOutput"}
    plain = {key: value for key, value in given.items() if key not in names}
    return plain | {names[key]: value for key, value in given.items() if key in names}


def _changed(node: Part, change: Part) -> Part:
    """A position that is given is the only one."""
    if "position" in change or "x" in change:
        node = {key: value for key, value in node.items() if key not in ("position", "x", "y")}
    return node | change
