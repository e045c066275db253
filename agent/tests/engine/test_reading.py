"""Every spelling of a flow comes out as the same flow; what cannot be read is named."""

from __future__ import annotations

from typing import Any

import pytest

from edgeflow_agent.engine import Engine, Flow, FlowRefused, read_flow, read_flows

NODES: list[dict[str, Any]] = [
    {
        "id": "node-1",
        "type": "inject",
        "name": "Start",
        "config": {"intervalType": "seconds", "intervalValue": 5},
    },
    {"id": "node-2", "type": "debug", "name": "", "config": {"output_to": "console"}},
]


def shape(flow: Flow) -> Any:
    return (
        flow.id, flow.name, [(node.id, node.type, node.name, node.config) for node in flow.nodes],
        [(wire.source, wire.target) for wire in flow.wires],
    )  # fmt: skip


def spellings() -> dict[str, Any]:
    ends = {"source": "node-1", "target": "node-2"}
    map_of = {node["id"]: node for node in NODES}
    return {
        "disk": {
            "id": "f", "name": "F", "description": "", "status": "idle", "created_at": "2024-01-01T00:00:00Z",
            "nodes": [{**node, "position": [10, 20]} for node in NODES],
            "connections": [{"id": "conn-1", **ends}],
        },
        "seeded": {
            "id": "f", "name": "F",
            "nodes": [{**node, "config": {**node["config"], "position": {"x": 10, "y": 20}}} for node in NODES],
            "connections": [{"id": "conn-1", **ends}],
        },
        "local REST": {"id": "f", "name": "F", "config": {}, "nodes": map_of, "connections": [ends]},
        "tunnel": {
            "id": "f", "name": "F", "status": "idle",
            "nodes": {
                key: {**node, "category": "input", "inputs": [], "outputs": [], "status": "idle"}
                for key, node in map_of.items()
            },
            "connections": [{"id": "c", "source_id": "node-1", "target_id": "node-2"}],
        },
        "example file": {
            "id": "f", "name": "F", "nodes": [{**node, "position": {"x": 10, "y": 20}} for node in NODES],
            "connections": [{"source_id": "node-1", "target_id": "node-2"}],
        },
        "published": {
            "id": "f", "name": "F", "tags": [],
            "definition": {
                "nodes": [{**node, "x": 10, "y": 20} for node in NODES], "connections": [ends],
                "variables": [{"name": "limit", "type": "number", "value": "30"}],
            },
        },
    }  # fmt: skip


@pytest.mark.parametrize("spelling", spellings())
async def test_every_spelling_is_the_same_flow_and_runs(engine: Engine, spelling: str) -> None:
    document = spellings()[spelling]
    flow = read_flow(document)
    assert shape(flow) == shape(read_flow(spellings()["disk"]))
    if spelling not in ("local REST", "tunnel"):
        assert (flow.nodes[0].x, flow.nodes[0].y) == (10, 20)
    await engine.deploy(document)
    await engine.start("f")
    assert engine.state("f").status == "running"


def test_source_output_in_all_its_spellings() -> None:
    for key, value in (
        ("sourceOutput", 1),
        ("source_output", 1),
        ("sourceHandle", "output-1"),
        ("sourceHandle", "1"),
    ):
        document = {
            "id": "f",
            "nodes": NODES,
            "connections": [{"source": "node-1", "target": "node-2", key: value}],
        }
        assert read_flow(document).wires[0].output == 1


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("nonsense", "JSON object"),
        ({"nodes": "x"}, "'nodes'"),
        ({"nodes": [{"id": "a"}]}, "Node a of the flow has no type"),
        ({"nodes": [{"type": "debug"}]}, "has no id"),
        ({"nodes": [NODES[0], NODES[0]]}, "node-1"),
        ({"nodes": NODES, "connections": [{"source": "node-1", "target": "gone"}]}, "'gone'"),
        ({"nodes": NODES, "connections": [{"source": "node-1"}]}, "Connection 1"),
        ({"nodes": [{"id": "a", "type": "debug", "config": []}]}, "'config' of node a"),
        ([{"id": "s", "type": "subflow:1", "z": "t", "wires": []}, {"id": "t", "type": "tab"}], "subflow"),
    ],
)
def test_what_cannot_be_read_is_named(document: object, said: str) -> None:
    with pytest.raises(FlowRefused, match=said):
        read_flow(document)


async def test_an_unknown_type_makes_the_flow_refuse_by_name(engine: Engine) -> None:
    document = {"id": "f", "nodes": [*NODES, {"id": "x", "type": "warp-drive"}], "connections": []}
    with pytest.raises(FlowRefused, match=r"Node x: This device has no node type 'warp-drive'"):
        await engine.deploy(document)
    assert engine.flows() == []


async def test_a_config_that_does_not_fit_names_node_and_key(engine: Engine) -> None:
    document = {"id": "f", "nodes": [{"id": "x", "type": "switch", "config": {"rules": [{"t": "nope"}]}}]}
    with pytest.raises(FlowRefused, match=r"Node x \(switch\).*'rules'"):
        await engine.deploy(document)


def test_underscores_are_read_as_hyphens(engine: Engine) -> None:
    assert engine.registry.get("link_in") is engine.registry.get("link-in")


def test_nodered_tabs_config_nodes_junctions_and_disabled_parts() -> None:
    document = [
        {"id": "t1", "type": "tab", "label": "One", "env": [{"name": "N", "type": "num", "value": "3"}]},
        {"id": "t2", "type": "tab", "label": "Two", "disabled": True},
        {"id": "b", "type": "mqtt-broker", "broker": "host", "port": "1884", "keepalive": "15"},
        {"id": "m", "type": "mqtt in", "z": "t1", "broker": "b", "topic": "a", "qos": "1", "wires": [["j"]]},
        {"id": "j", "type": "junction", "z": "t1", "wires": [["d", "gone"]]},
        {"id": "d", "type": "debug", "z": "t1", "d": True, "x": 5, "y": 6, "wires": []},
        {"id": "other", "type": "debug", "z": "t2", "wires": []},
    ]
    (flow,) = read_flows(document)
    assert (flow.id, flow.name, flow.variables[0].value) == ("t1", "One", "3")
    mqtt, debug = flow.nodes
    assert mqtt.type == "mqtt-in" and mqtt.config["broker"] == "tcp://host:1884" and mqtt.config["qos"] == "1"
    assert debug.disabled and (debug.x, debug.y) == (5, 6)
    assert [(wire.source, wire.target, wire.output) for wire in flow.wires] == [("m", "d", 0)]
    assert read_flow({"flows": document, "rev": "1"}, "mine").id == "mine"


async def test_an_entry_point_adds_a_type_and_cannot_replace_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from edgeflow_agent.engine import registry
    from edgeflow_agent.engine.nodes.core.debug import Debug

    place = "agent.tests.engine.conftest:Tap"
    points = [EntryPoint("tap", place, registry.GROUP), EntryPoint("debug", place, registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])
    made = registry.Registry()
    assert made.knows("tap") and made.get("tap").type == "tap"
    assert made.get("debug") is Debug


async def test_a_type_is_imported_only_when_a_flow_uses_it() -> None:
    import subprocess
    import sys

    code = (
        "import sys, edgeflow_agent.engine as e; e.Engine;"
        "heavy=[m for m in sys.modules if m.startswith('edgeflow_agent.engine.nodes.') or m in "
        "('yaml','xmltodict','cronsim','_quickjs')]; print(heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
