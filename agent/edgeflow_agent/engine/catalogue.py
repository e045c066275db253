"""What there is to say of node types: the catalogue of the console, the local API and the reference page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from .node import Node, NodeConfig

Json = Mapping[str, object]
_KINDS = {"integer": "number", "null": ""}


class Property(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A config key as a form shows it. `type`: string, number, boolean, select, array, object, code, password,
    duration, any. `hidden`: nothing for people (what an import of Node-RED writes)."""

    name: str
    label: str = ""
    type: str = "any"
    default: object = None
    required: bool = False
    description: str = ""
    options: list[object] = []
    placeholder: str = ""
    min: float | None = None
    max: float | None = None
    hidden: bool = False


def describe_type(name: str, node: type[Node[NodeConfig]]) -> dict[str, object]:
    """`type title category group description inputs outputs schema`."""
    return {
        "type": name,
        "title": node.title or name,
        "category": node.category,
        "group": node.group,
        "description": " ".join((node.__doc__ or "").strip().partition("\n\n")[0].split()),
        "inputs": node.inputs,
        "outputs": node.outputs,
        "schema": node.schema(),
    }


def read_properties(schema: Json) -> list[Property]:
    """The keys of a config, in the order in which its class has them."""
    required = cast("list[str]", schema.get("required", []))
    found = cast("Mapping[str, Json]", schema.get("properties", {}))
    return [_read(name, entry, name in required) for name, entry in found.items()]


def _read(name: str, entry: Json, required: bool) -> Property:
    kinds, options = _kinds(entry)
    written = entry.get("format")
    kind = "select" if options else str(written or (kinds[0] if len(kinds) == 1 else "")) or "any"
    if len(kinds) > 1 and not options and not written:
        kind = " or ".join(kinds)
    examples = cast("list[object]", entry.get("examples") or [])
    example = examples[0] if examples else ""
    return Property(
        name=name,
        label=str(entry.get("title", "")),
        type=kind,
        default=entry.get("default"),
        required=required,
        description=str(entry.get("description", "")),
        options=options,
        placeholder=example if isinstance(example, str) else msgspec.json.encode(example).decode(),
        min=_bound(entry, "minimum", "exclusiveMinimum"),
        max=_bound(entry, "maximum", "exclusiveMaximum"),
        hidden=bool(entry.get("hidden")) or not entry.get("title"),
    )


def _kinds(entry: Json) -> tuple[list[str], list[object]]:
    """The JSON types that fit, and the values where only some do."""
    if "enum" in entry:
        return ["string"], list(cast("list[object]", entry["enum"]))
    if "$ref" in entry:
        return ["object"], []
    kinds: dict[str, None] = {}
    options: list[object] = []
    choices = cast("list[Json]", entry.get("anyOf") or [])
    for choice in choices:
        inner, values = _kinds(choice)
        kinds |= dict.fromkeys(inner)
        options.extend(values)
    if not choices and isinstance(kind := entry.get("type"), str):
        kind = _KINDS.get(kind, kind)
        kinds |= {kind: None} if kind else {}
    return list(kinds), options if len(kinds) <= 1 else []


def _bound(entry: Json, *keys: str) -> float | None:
    for each in (entry, *cast("list[Json]", entry.get("anyOf") or [])):
        for key in keys:
            if isinstance(value := each.get(key), (int, float)):
                return value
    return None
