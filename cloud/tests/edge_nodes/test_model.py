"""Reading what devices answer, right or wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow_cloud.edge_nodes import model
from edgeflow_cloud.edge_nodes.model import UNKNOWN, UnusableAnswer
from tests.emulator.field_answers import FLOWS, system_metrics

READERS = [
    model.read_health,
    model.read_node_types,
    model.read_flows,
    model.read_flow,
    lambda said: model.read_started(said, "f"),
    model.read_executions,
    model.read_gpio,
    model.read_system_metrics,
]
WORDS = """
status uptime version flows id flow_id nodes node_count connections source target source_id target_id type node_types
executions available active_pins pins pin mode value cpu memory name config capabilities
"""
NAMES = st.sampled_from(WORDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(said=JSON, which=st.integers(0, len(READERS) - 1))
def test_nothing_that_a_device_says_breaks_a_reader(said: object, which: int) -> None:
    try:
        READERS[which](said)
    except UnusableAnswer as fault:
        assert str(fault)


def test_a_field_clients_flows_are_told_as_what_they_are() -> None:
    (flow,) = model.read_flows({"flows": FLOWS})  # its settings file, without an id, is none
    assert (flow.id, flow.name, flow.status, flow.node_count) == ("flow-default-1", "Blink", UNKNOWN, 1)
    assert (flow.nodes[0].id, flow.nodes[0].type) == ("node-1", "inject")
    assert (flow.connections[0].source, flow.connections[0].target) == ("node-1", "x")


def test_documented_flows_keep_their_state() -> None:
    said = {
        "flows": [{"id": "a", "name": "A", "status": "idle", "node_count": 3}, {"id": "b", "status": "odd"}]
    }
    assert [(flow.status, flow.node_count) for flow in model.read_flows(said)] == [("idle", 3), (UNKNOWN, 0)]
    disk = {
        "id": "a",
        "nodes": [{"id": "n", "type": "inject"}, {"type": "lost"}],
        "connections": [{"source": "n", "target": "m", "sourceOutput": 1}],
    }
    flow = model.read_flow(disk)
    assert ([node.id for node in flow.nodes], flow.connections[0].output) == (["n"], 1)


@pytest.mark.parametrize(
    ("said", "status", "uptime"),
    [
        ({"status": "healthy", "uptime": "TODO", "version": "1.0.0"}, "healthy", None),
        ({"status": "healthy", "uptime": 12.5}, "healthy", 12.5),
        ({"status": "ok\0", "uptime": True}, "ok", None),
    ],
)
def test_health(said: dict[str, Any], status: str, uptime: float | None) -> None:
    health = model.read_health(said)
    assert (health.status, health.uptime_seconds) == (status, uptime)


def test_metrics_of_a_field_client() -> None:
    metrics = model.read_system_metrics(system_metrics())
    assert metrics.board_model == "Raspberry Pi 4 Model B Rev 1.4"
    assert (metrics.cpu, metrics.uptime) == ({"usage_percent": 12.5}, 86400)


def test_pins_in_both_spellings() -> None:
    field = {"available": True, "board": "Pi", "active_pins": [{"pin": 17.0, "mode": "output"}, {"pin": "x"}]}
    assert [(pin.pin, pin.mode, pin.value) for pin in model.read_gpio(field).pins] == [(17, "output", None)]
    none = model.read_gpio({"available": False, "message": "no chip"})
    assert (none.available, none.message, none.pins) == (False, "no chip", ())


def test_executions_in_both_spellings() -> None:
    said = {
        "executions": [
            {
                "id": "exec-1",
                "flow_id": "f",
                "status": "completed",
                "start_time": "t0",
                "end_time": "t1",
                "duration": 5,
            },
            {"execution_id": "exec-2", "flow_id": "f", "status": "failed", "error": "no", "started_at": "t0"},
            {"flow_id": "lost"},
        ]
    }
    first, second = model.read_executions(said)
    assert (first.status, first.started_at, first.finished_at, first.duration_ms) == (
        "succeeded",
        "t0",
        "t1",
        5,
    )
    assert (second.id, second.status, second.error) == ("exec-2", "failed", "no")


def test_the_vectors_of_the_protocol_are_read() -> None:
    folder = Path(__file__).parents[3] / "protocol" / "vectors"
    answers = [
        json.loads(path.read_text()) for path in sorted(folder.rglob("*.json")) if "response" in path.name
    ]
    for answer in answers:
        for read in READERS:
            try:
                read(answer.get("data") if isinstance(answer, dict) else answer)
            except UnusableAnswer:
                continue
