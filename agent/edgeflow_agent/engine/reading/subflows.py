"""Node-RED's subflows, expanded: each instance becomes copies of the subflow's nodes, between junctions for its ports.

A copy's id is `INSTANCE.NODE`. It carries the instance's properties as variables, and `inside`, the instance's id: the
`flow` context of a copy is the instance's own, as in Node-RED.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from ..flow import MAX_NODES, FlowRefused, Variable

Entry = Mapping[str, object]
INSIDE, VARIABLES = "__inside", "__variables"
"""Keys that copies have beside Node-RED's."""
_DEEPEST = 10
_OBSERVERS = frozenset({"catch", "status", "complete"})
_KINDS = {"num": "number", "bool": "boolean", "json": "json"}


def expand(nodes: list[Entry], entries: Mapping[str, Entry]) -> list[Entry]:
    """The nodes of a tab without instances of subflows. Raises FlowRefused for one whose subflow is not there, that
    contains itself, or that makes more nodes than a flow may have.
    """
    if not any(_blueprint_id(node) for node in nodes):
        return nodes
    expansion = _Expansion(entries)
    expansion.add_level(nodes, "", (), ())
    return list(expansion.made.values())


def read_variables(env: object) -> list[Variable]:
    """Node-RED's list of environment properties. One of type `env` is the value of another."""
    found: list[Variable] = []
    for entry in cast("list[object]", env) if isinstance(env, list) else []:
        if isinstance(entry, Mapping):
            written = cast("Entry", entry)
            kind, value = str(written.get("type") or "str"), written.get("value", "")
            if kind == "env":
                value = f"${{{value}}}"
            found.append(Variable(str(written.get("name")), _KINDS.get(kind, "string"), value))
    return found


class _Expansion:
    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.made: dict[str, dict[str, object]] = {}
        self._entries = entries

    def add_level(
        self,
        nodes: Iterable[Entry],
        prefix: str,
        path: tuple[str, ...],
        variables: tuple[Variable, ...],
        disabled: bool = False,
    ) -> list[str]:
        """Copy the nodes of a tab or of one instance; the ids of those whose errors a catch node outside of it gets."""
        nodes = list(nodes)
        ids = {str(node["id"]): prefix + str(node["id"]) for node in nodes}
        own: list[str] = []
        within: dict[str, list[str]] = {}
        observers: list[dict[str, object]] = []
        for node in nodes:
            copy = self._copy(node, ids, prefix, variables)
            if disabled:
                copy["d"] = True
            new_id = ids[str(node["id"])]
            if blueprint := _blueprint_id(node):
                within[new_id] = self._add_instance(copy, blueprint, path, variables)
                continue
            self._put(copy)
            own.append(new_id)
            if copy["type"] in _OBSERVERS:
                observers.append(copy)
        for observer in observers:
            observer["scope"] = _scope(observer, own, within)
        if any(each["type"] == "catch" and not each.get("uncaught") for each in observers if prefix):
            return []
        return [*own, *(node_id for inner in within.values() for node_id in inner)]

    def _copy(
        self, node: Entry, ids: Mapping[str, str], prefix: str, variables: tuple[Variable, ...]
    ) -> dict[str, object]:
        copy: dict[str, object] = dict(node)
        copy["id"] = ids[str(node["id"])]
        copy["wires"] = [
            [ids.get(str(target), str(target)) for target in cast("list[object]", port)]
            for port in cast("list[object]", node.get("wires") or [])
            if isinstance(port, list)
        ]
        for key in ("scope", "links"):
            if isinstance(named := node.get(key), list):
                copy[key] = [ids.get(str(each), str(each)) for each in cast("list[object]", named)]
        if prefix:
            copy[INSIDE], copy[VARIABLES] = prefix.removesuffix("."), variables
        return copy

    def _add_instance(
        self,
        instance: dict[str, object],
        blueprint_id: str,
        path: tuple[str, ...],
        outer: tuple[Variable, ...],
    ) -> list[str]:
        instance_id, blueprint = str(instance["id"]), self._entries.get(blueprint_id)
        if blueprint is None or blueprint.get("type") != "subflow":
            raise FlowRefused(
                f"Node {instance_id} is an instance of the Node-RED subflow {blueprint_id}, which is not in what was "
                "given. Export the flow again together with its subflow."
            )
        title = str(blueprint.get("name") or blueprint_id)
        if blueprint_id in path or len(path) >= _DEEPEST:
            raise FlowRefused(
                f"The Node-RED subflow {title!r} contains itself, or is more than {_DEEPEST} deep. Take it apart."
            )
        prefix = f"{instance_id}."
        given = {variable.name: variable for variable in read_variables(blueprint.get("env"))}
        given |= {variable.name: variable for variable in read_variables(instance.get("env"))}
        name = str(instance.get("name") or title)
        variables = (
            *outer,
            *given.values(),
            Variable("NR_SUBFLOW_ID", value=instance_id),
            Variable("NR_SUBFLOW_NAME", value=name),
        )
        inner = [
            entry for entry in self._entries.values() if entry.get("z") == blueprint_id and "wires" in entry
        ]
        reachable = self.add_level(
            inner, prefix, (*path, blueprint_id), variables, disabled=instance.get("d") is True
        )
        entrance: list[str] = []
        self._put({"id": instance_id, "type": "junction", "wires": [entrance]})
        for port in _ports(blueprint, "in")[:1]:
            entrance.extend(prefix + node_id for node_id, _ in port)
        onward = cast("list[list[str]]", instance["wires"])
        for number, port in enumerate(_ports(blueprint, "out")):
            exit_id = f"{prefix}out{number}"
            self._put(
                {"id": exit_id, "type": "junction", "wires": [onward[number] if number < len(onward) else []]}
            )
            for node_id, output in port:
                if node_id == blueprint_id:  # Straight from the entrance.
                    entrance.append(exit_id)
                else:
                    self._wire(prefix + node_id, output, exit_id)
        return reachable

    def _wire(self, source: str, output: int, target: str) -> None:
        if (inner_exit := self.made.get(f"{source}.out{output}")) is not None:
            source, output, entry = f"{source}.out{output}", 0, inner_exit
        else:
            entry = self.made.get(source)
        if entry is None:
            return
        wires = cast("list[list[str]]", entry["wires"])
        while len(wires) <= output:
            wires.append([])
        wires[output] = [*wires[output], target]

    def _put(self, entry: dict[str, object]) -> None:
        if len(self.made) >= 2 * MAX_NODES:
            raise FlowRefused(
                f"With its subflows the flow has more than {MAX_NODES} nodes. Divide it and join the parts by links."
            )
        self.made[str(entry["id"])] = entry


def _scope(observer: Entry, own: list[str], within: Mapping[str, list[str]]) -> list[str]:
    """Of which nodes it is told: those named, or all beside it; a catch node also of those in instances, unless these
    have a catch node of their own."""
    named = observer.get("scope")
    reached = within if observer["type"] == "catch" else {instance: list[str]() for instance in within}
    if not isinstance(named, list):
        return [*own, *(node_id for inner in reached.values() for node_id in inner)]
    found: list[str] = []
    for each in cast("list[object]", named):
        found.extend(reached.get(str(each), [str(each)]))
    return found


def _blueprint_id(node: Entry) -> str:
    kind = str(node["type"])
    return kind.removeprefix("subflow:") if kind.startswith("subflow:") else ""


def _ports(blueprint: Entry, key: str) -> list[list[tuple[str, int]]]:
    """For each port: the nodes and outputs that it is wired to."""
    found: list[list[tuple[str, int]]] = []
    for port in cast("list[object]", blueprint.get(key) or []):
        wires = cast("Entry", port).get("wires") if isinstance(port, Mapping) else None
        pairs: list[tuple[str, int]] = []
        for wire in cast("list[object]", wires or []):
            if isinstance(wire, Mapping):
                end = cast("Entry", wire)
                output = end.get("port")
                pairs.append((str(end.get("id")), output if isinstance(output, int) and output >= 0 else 0))
        found.append(pairs)
    return found
