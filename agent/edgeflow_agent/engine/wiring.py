"""Who is wired to whom: the flow's wires, and links, which are wires that are not drawn; and who is behind whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .flow import Wire
from .host import AnyNode


def connect(nodes: Mapping[str, AnyNode], wires: Iterable[Wire]) -> None:
    """Give each node its receivers, by output port. A wire that names no port leaves from all of them: so the field
    runtime drew them. Wires of nodes that are not there (disabled) are left out.
    """
    ports: dict[str, list[list[AnyNode]]] = {
        node_id: [[] for _ in range(node.count_outputs())] for node_id, node in nodes.items()
    }
    for wire in wires:
        if wire.source not in nodes or wire.target not in nodes or not nodes[wire.target].inputs:
            continue
        outputs = ports[wire.source]
        target = nodes[wire.target]
        for output in range(len(outputs)) if wire.output is None else [wire.output]:
            if output < len(outputs) and target not in outputs[output]:
                outputs[output].append(target)
    for node_id, outputs in ports.items():
        nodes[node_id].set_wires(tuple(tuple(targets) for targets in outputs))


def link(nodes: Mapping[str, AnyNode], flow_id: str, flows: Mapping[str, Mapping[str, AnyNode]]) -> None:
    """Let this flow's links find their partners among all running flows."""
    for node in nodes.values():
        if node.links:
            node.link(flow_id, flows)


def behind(node: AnyNode) -> Iterable[AnyNode]:
    """The nodes that messages of `node` may reach and from which none comes back to it: waiting for those can never be
    waiting for oneself."""
    ahead = _reach(node)
    return [other for other in ahead if other is not node and node not in _reach(other)]


def _reach(node: AnyNode) -> list[AnyNode]:
    found: dict[AnyNode, None] = {}
    rest = [node]
    while rest:
        for targets in rest.pop().wires:
            for target in targets:
                if target not in found:
                    found[target] = None
                    rest.append(target)
    return list(found)
