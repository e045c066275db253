"""The spellings of the field runtime and of the published REST API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from uuid import uuid4

from ..flow import MAX_NODES, MAX_WIRES, Flow, FlowRefused, NodeSpec, Variable, Wire

_OUTPUT_KEYS = ("sourceOutput", "source_output", "output", "sourcePort", "source_port", "sourceHandle")


def read_edgeflow(document: Mapping[str, object], flow_id: str | None = None) -> Flow:
    """A flow object: `nodes` a list or a map by id, `connections` (or `edges`) with `source`/`target` or
    `source_id`/`target_id`, `position` anywhere; or all that inside `definition`. Raises FlowRefused.
    """
    definition = document.get("definition")
    inner = cast("Mapping[str, object]", definition) if isinstance(definition, Mapping) else document
    identity = flow_id or _text(document, "id", "flow_id") or _text(inner, "id") or f"flow-{uuid4()}"
    nodes = [_read_node(entry, place) for place, entry in enumerate(_entries(inner, "nodes"))]
    if len(nodes) > MAX_NODES:
        raise FlowRefused(
            f"The flow has {len(nodes)} nodes, more than {MAX_NODES}. Divide it and join the parts by links."
        )
    seen: set[str] = set()
    for node in nodes:
        if node.id in seen:
            raise FlowRefused(f"Two nodes of the flow have the id {node.id!r}. Give each its own.")
        seen.add(node.id)
    connections = _entries(inner, "connections") or _entries(inner, "edges")
    if len(connections) > MAX_WIRES:
        raise FlowRefused(f"The flow has {len(connections)} connections, more than {MAX_WIRES}.")
    wires = [_read_wire(entry, place) for place, entry in enumerate(connections)]
    for wire in wires:
        for end in (wire.source, wire.target):
            if end not in seen:
                raise FlowRefused(
                    f"A connection names the node {end!r}, which the flow does not have. Remove it."
                )
    return Flow(
        id=identity,
        name=_text(document, "name") or _text(inner, "name"),
        description=_text(document, "description") or _text(inner, "description"),
        nodes=tuple(nodes),
        wires=tuple(dict.fromkeys(wires)),
        variables=tuple(_read_variable(entry) for entry in _entries(inner, "variables")),
    )


def _entries(document: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    """A list of objects, or a map whose keys are their ids. Raises FlowRefused."""
    value = document.get(key)
    if value is None:
        return []
    entries: list[object]
    if isinstance(value, Mapping):
        entries = [
            {"id": name, **cast("Mapping[str, object]", entry)} if isinstance(entry, Mapping) else entry
            for name, entry in cast("Mapping[str, object]", value).items()
        ]
    elif isinstance(value, (list, tuple)):
        entries = list(cast("list[object]", value))
    else:
        raise FlowRefused(f"{key!r} of the flow must be a list (or a map by id).")
    for place, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise FlowRefused(f"Entry {place + 1} of {key!r} must be an object.")
    return cast("list[Mapping[str, object]]", entries)


def _read_node(entry: Mapping[str, object], place: int) -> NodeSpec:
    kind, node_id = _text(entry, "type"), _text(entry, "id")
    if not kind:
        raise FlowRefused(f"Node {node_id or place + 1} of the flow has no type.")
    if not node_id:
        raise FlowRefused(f"Node {place + 1} of the flow ({kind}) has no id.")
    written = entry.get("config")
    if written is not None and not isinstance(written, Mapping):
        raise FlowRefused(f"'config' of node {node_id} must be an object.")
    config = dict(cast("Mapping[str, object]", written or {}))
    x, y = _position(entry) or _position(config) or (None, None)
    if not isinstance(config.get("position"), (str, type(None))):
        del config["position"]  # Seeded flows keep it here; it is the editor's, not the node's.
    if kind == "switch":
        config = _read_switch(config)
    return NodeSpec(
        id=node_id,
        type=kind,
        name=_text(entry, "name"),
        config=config,
        x=x,
        y=y,
        disabled=entry.get("disabled") is True or entry.get("enabled") is False,
        inside=_text(entry, "inside"),
        variables=tuple(_read_variable(each) for each in _entries(entry, "variables")),
    )


_WORDS = {"between": "btwn", "contains": "cont", "ne": "neq", "default": "else", "otherwise": "else"}


def _read_switch(config: dict[str, object]) -> dict[str, object]:
    """The sample files write a rule as `{type, value}`, a range's two bounds as a list."""
    rules = config.get("rules")
    if not isinstance(rules, list):
        return config
    made: list[object] = []
    for rule in cast("list[object]", rules):
        if isinstance(rule, Mapping) and "type" in rule and "t" not in rule:
            known = dict(cast("Mapping[str, object]", rule))
            word, value = str(known.pop("type")), known.pop("value", "")
            known["t"], known["v"] = _WORDS.get(word, word), value
            if isinstance(value, list) and len(pair := cast("list[object]", value)) == 2:
                known["v"], known["v2"] = pair
            made.append(known)
        else:
            made.append(cast("object", rule))
    return {**config, "rules": made}


def _position(entry: Mapping[str, object]) -> tuple[float, float] | None:
    """`position: [x, y]`, `position: {x, y}`, or `x` and `y`."""
    position = entry.get("position", entry)
    if isinstance(position, list):
        pair = cast("list[object]", position)
    elif isinstance(position, Mapping):
        spot = cast("Mapping[str, object]", position)
        pair = [spot.get("x"), spot.get("y")]
    else:
        return None
    if len(pair) != 2:
        return None
    x, y = pair
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        return float(x), float(y)
    return None


def _read_wire(entry: Mapping[str, object], place: int) -> Wire:
    source, target = _text(entry, "source", "source_id", "from"), _text(entry, "target", "target_id", "to")
    if not source or not target:
        raise FlowRefused(
            f"Connection {place + 1} of the flow needs source and target (or source_id and target_id)."
        )
    for key in _OUTPUT_KEYS:
        value = entry.get(key)
        if isinstance(value, str):  # An editor's handle: "1", "output-1", "out_1".
            digits = value.rpartition("-")[2].rpartition("_")[2]
            value = int(digits) if digits.isdigit() else None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            return Wire(source, target, int(value))
    return Wire(source, target)


def _read_variable(entry: Mapping[str, object]) -> Variable:
    name = _text(entry, "name", "id")
    if not name:
        raise FlowRefused("A variable of the flow has no name.")
    return Variable(name, _text(entry, "type") or "string", entry.get("value", ""))


def _text(entry: Mapping[str, object], *keys: str) -> str:
    for key in keys:
        value = entry.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""
