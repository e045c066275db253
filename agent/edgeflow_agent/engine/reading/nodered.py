"""Node-RED's JSON: an export or a flows file, a list of nodes with `wires`, tabs and config nodes among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ..flow import MAX_NODES, Flow, FlowRefused, NodeSpec, Variable, Wire
from .names import convert, name_type
from .subflows import INSIDE, VARIABLES, expand, read_variables

_FRAME = frozenset(
    {
        "id",
        "type",
        "z",
        "g",
        "name",
        "wires",
        "x",
        "y",
        "w",
        "h",
        "d",
        "l",
        "info",
        "inputLabels",
        "outputLabels",
        INSIDE,
        VARIABLES,
    }
)
_NOT_NODES = frozenset({"tab", "group", "junction", "subflow", "global-config"})

Entry = Mapping[str, object]


def is_nodered(document: object) -> bool:
    """Whether this is Node-RED's: a list of objects with `wires` or a tab, or its Admin API's `{flows, rev}`."""
    if isinstance(document, Mapping):
        inner = cast("Entry", document).get("flows")
        return isinstance(inner, list) and is_nodered(cast("object", inner))
    if not isinstance(document, list):
        return False
    entries = cast("list[object]", document)
    return any(
        "wires" in entry or entry.get("type") == "tab"
        for entry in (cast("Entry", each) for each in entries if isinstance(each, Mapping))
    )


def read_nodered(document: object, flow_id: str | None = None) -> list[Flow]:
    """One flow a tab (nodes without a tab are one too). Config nodes are folded into the nodes that use them,
    junctions into wires, subflows into the nodes that they are. Raises FlowRefused.
    """
    found = cast("Entry", document)["flows"] if isinstance(document, Mapping) else document
    entries: dict[str, Entry] = {}
    for place, entry in enumerate(cast("list[object]", found)):
        if not isinstance(entry, Mapping):
            raise FlowRefused(f"Entry {place + 1} of the Node-RED flow must be an object.")
        node = cast("Entry", entry)
        if not isinstance(node.get("id"), str) or not isinstance(node.get("type"), str):
            raise FlowRefused(f"Entry {place + 1} of the Node-RED flow has no id or no type.")
        entries[cast(str, node["id"])] = node
    by_tab: dict[str, list[Entry]] = {
        key: [] for key, entry in entries.items() if entry["type"] == "tab" and not entry.get("disabled")
    }
    for entry in entries.values():
        if entry["type"] == "tab" or "wires" not in entry:
            continue
        tab = str(entry.get("z") or "")
        if tab in entries and entries[tab].get("type") == "subflow":
            continue
        if tab in entries and entries[tab].get("disabled"):
            continue
        by_tab.setdefault(tab, []).append(entry)
    by_tab = {tab: nodes for tab, nodes in by_tab.items() if nodes or tab in entries}
    single = flow_id if len(by_tab) == 1 else None
    return [
        _read_tab(single or tab or "flow-nodered", entries.get(tab, {}), nodes, entries)
        for tab, nodes in by_tab.items()
    ]


def _read_tab(flow_id: str, tab: Entry, nodes: list[Entry], entries: Mapping[str, Entry]) -> Flow:
    nodes = expand(nodes, entries)
    used = {str(value) for node in nodes for value in node.values() if isinstance(value, str)}
    entries = {**entries, **{str(node["id"]): node for node in nodes}}
    if len(nodes) > 2 * MAX_NODES or sum(node["type"] not in _NOT_NODES for node in nodes) > MAX_NODES:
        raise FlowRefused(
            f"The flow has {len(nodes)} nodes, more than {MAX_NODES}. Divide it and join the parts by links."
        )
    specs: list[NodeSpec] = []
    wires: dict[Wire, None] = {}
    here = {str(node["id"]) for node in nodes}
    for node in nodes:
        kind, node_id = str(node["type"]), str(node["id"])
        if kind not in _NOT_NODES:
            config = convert(kind, {key: value for key, value in node.items() if key not in _FRAME}, entries)
            specs.append(
                NodeSpec(
                    id=node_id,
                    type=name_type(kind, node),
                    name=str(node.get("name") or ""),
                    config=config,
                    x=_number(node.get("x")),
                    y=_number(node.get("y")),
                    disabled=node.get("d") is True,
                    inside=str(node.get(INSIDE) or ""),
                    variables=cast("tuple[Variable, ...]", node.get(VARIABLES) or ()),
                )
            )
            for output, targets in enumerate(_ports(node)):
                for target in _through_junctions(targets, entries, here):
                    wires[Wire(node_id, target, output)] = None
    skipped = [
        f"{entry['type']} {key}"
        for key, entry in entries.items()
        if "wires" not in entry and entry["type"] not in ("tab", "subflow") and key not in used
    ]
    return Flow(
        id=flow_id,
        name=str(tab.get("label") or ""),
        description=str(tab.get("info") or ""),
        nodes=tuple(specs),
        wires=tuple(wires),
        variables=tuple(read_variables(tab.get("env"))),
        skipped=tuple(skipped),
    )


def _ports(node: Entry) -> list[list[str]]:
    wires = node.get("wires")
    if not isinstance(wires, list):
        return []
    ports = cast("list[object]", wires)
    return [
        [str(target) for target in cast("list[object]", port)] if isinstance(port, list) else []
        for port in ports
    ]


def _through_junctions(targets: list[str], entries: Mapping[str, Entry], here: set[str]) -> list[str]:
    """The nodes that the wires end at; Node-RED ignores wires to nodes that are not there, and so do we."""
    ends: dict[str, None] = {}
    seen: set[str] = set()
    rest = list(targets)
    while rest:
        target = rest.pop(0)
        if target in seen or target not in here:
            continue
        seen.add(target)
        if entries[target].get("type") == "junction":
            rest.extend(next_ for port in _ports(entries[target]) for next_ in port)
        else:
            ends[target] = None
    return list(ends)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
