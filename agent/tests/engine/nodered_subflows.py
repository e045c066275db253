# ruff: noqa: E501  tables of flows and code read better unbroken
"""Flows with subflows in Node-RED's JSON, with messages, that both engines are given. Ids are used as they are here."""

from __future__ import annotations

from typing import Any

Nodes = list[dict[str, Any]]


def function(node_id: str, z: str, code: str, *wires: list[str]) -> dict[str, Any]:
    return {
        "id": node_id, "type": "function", "z": z, "name": "", "func": code, "outputs": len(wires), "timeout": 0, "noerr": 0,
        "initialize": "", "finalize": "", "libs": [], "x": 1, "y": 1, "wires": [*wires],
    }  # fmt: skip


def debug(node_id: str) -> dict[str, Any]:
    return {
        "id": node_id,
        "type": "debug",
        "z": "tab",
        "active": True,
        "tosidebar": False,
        "complete": "true",
        "wires": [],
    }


COUNTER: Nodes = [
    {
        "id": "sf", "type": "subflow", "name": "Counter", "info": "", "category": "", "in": [{"x": 1, "y": 1, "wires": [{"id": "count"}]}],
        "out": [{"x": 1, "y": 1, "wires": [{"id": "count", "port": 0}]}, {"x": 1, "y": 1, "wires": [{"id": "fix", "port": 0}, {"id": "sf", "port": 0}]}],
        "env": [{"name": "STEP", "type": "num", "value": "1"}, {"name": "LABEL", "type": "str", "value": "none"}],
    },
    function("count", "sf", "flow.set('n', (flow.get('n') || 0) + Number(env.get('STEP'))); msg.n = flow.get('n'); return msg;", ["fix"]),
    {"id": "fix", "type": "change", "z": "sf", "name": "", "x": 1, "y": 1, "wires": [[]],
     "rules": [{"t": "set", "p": "label", "pt": "msg", "to": "LABEL", "tot": "env"}]},
]  # fmt: skip
"""Two instances count for themselves; the second output also passes on what came in, as it was."""

TWICE: Nodes = [
    *COUNTER,
    {
        "id": "outer", "type": "subflow", "name": "Twice", "in": [{"wires": [{"id": "a"}]}], "out": [{"wires": [{"id": "b", "port": 0}]}],
        "env": [{"name": "WORD", "type": "str", "value": "deep"}],
    },
    {"id": "a", "type": "subflow:sf", "z": "outer", "name": "", "env": [{"name": "STEP", "type": "num", "value": "10"}], "x": 1, "y": 1, "wires": [["b"], []]},
    {"id": "b", "type": "subflow:sf", "z": "outer", "name": "", "x": 1, "y": 1, "wires": [[], []],
     "env": [{"name": "STEP", "type": "num", "value": "100"}, {"name": "LABEL", "type": "env", "value": "WORD"}]},
]  # fmt: skip

FAILING: Nodes = [
    {"id": "sf", "type": "subflow", "name": "Fails", "in": [{"wires": [{"id": "f"}]}], "out": [], "env": []},
    function("f", "sf", "throw new Error('bad ' + msg.payload);"),
]
CAUGHT: Nodes = [
    {"id": "sf", "type": "subflow", "name": "Catches", "in": [{"wires": [{"id": "f"}]}], "out": [{"wires": [{"id": "c", "port": 0}]}], "env": []},
    function("f", "sf", "throw new Error('bad ' + msg.payload);"),
    {"id": "c", "type": "catch", "z": "sf", "name": "", "scope": None, "uncaught": False, "x": 1, "y": 1, "wires": [[]]},
]  # fmt: skip


def tab(*nodes: dict[str, Any]) -> Nodes:
    return [{"id": "tab", "type": "tab", "label": "T", "disabled": False, "info": "", "env": []}, *nodes]


def instance(node_id: str, kind: str, *wires: list[str], **env: Any) -> dict[str, Any]:
    properties = [
        {"name": key, "type": "num" if isinstance(value, int) else "str", "value": str(value)}
        for key, value in env.items()
    ]
    return {
        "id": node_id,
        "type": f"subflow:{kind}",
        "z": "tab",
        "name": "",
        "env": properties,
        "x": 1,
        "y": 1,
        "wires": [*wires],
    }


def catch(scope: list[str] | None, target: str) -> dict[str, Any]:
    return {
        "id": "catch",
        "type": "catch",
        "z": "tab",
        "name": "",
        "scope": scope,
        "uncaught": False,
        "x": 1,
        "y": 1,
        "wires": [[target]],
    }


CASES: dict[str, tuple[Nodes, list[tuple[str, Any]]]] = {
    "two instances": (
        tab(instance("one", "sf", ["d0"], ["d1"], LABEL="first"), instance("two", "sf", ["d0"], ["d2"], STEP=5), debug("d0"), debug("d1"), debug("d2"))
        + COUNTER,
        [("one", 1), ("two", 2), ("one", 3), ("two", 4)],
    ),
    "one within the other": (tab(instance("w", "outer", ["d0"], WORD="inner"), debug("d0")) + TWICE, [("w", 1), ("w", 2)]),
    "an error goes out": (tab(instance("x", "sf"), catch(None, "d0"), debug("d0")) + FAILING, [("x", 1)]),
    "an error goes to who names the instance": (tab(instance("x", "sf"), catch(["x"], "d0"), debug("d0")) + FAILING, [("x", 1)]),
    "an error stays in": (tab(instance("x", "sf", ["d1"]), catch(None, "d0"), debug("d0"), debug("d1")) + CAUGHT, [("x", 1)]),
}  # fmt: skip
