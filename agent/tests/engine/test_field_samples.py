# ruff: noqa: E501  tables of flows and code read better unbroken
"""Flows in the shapes of the field runtime's own samples: seeded ones, the example file, the sample workflow."""

from __future__ import annotations

import asyncio
from typing import Any

from agent.tests.engine.conftest import Bench
from edgeflow_agent.engine import DebugShown, Engine, LogWritten


def node(node_id: str, kind: str, **config: Any) -> dict[str, Any]:
    return {
        "id": node_id,
        "type": kind,
        "name": node_id.title(),
        "config": {**config, "position": {"x": 1, "y": 2}},
    }


def wires(*pairs: str) -> list[dict[str, Any]]:
    return [
        {"id": f"conn-{place}", "source": pair.split(">")[0], "target": pair.split(">")[1]}
        for place, pair in enumerate(pairs)
    ]


async def shown(engine: Engine, flow: dict[str, Any], count: int) -> dict[str, Any]:
    """Run it until so many debug values were shown; the first of each debug node."""
    subscription = engine.subscribe("debug")
    await engine.deploy(flow)
    await engine.start(flow["id"])
    found: dict[str, Any] = {}
    async with asyncio.timeout(10):
        while len(found) < count:
            event = await anext(subscription)
            assert isinstance(event, DebugShown)
            found.setdefault(event.node_id, event.value)
    await engine.remove(flow["id"])
    return found


async def test_the_seeded_temperature_flow(engine: Engine) -> None:
    """Paths are the payload's own; a function without rules passes on; wires without port get both branches."""
    flow = {
        "id": "flow-default-temp-monitor",
        "name": "Temperature",
        "description": "",
        "status": "idle",
        "nodes": [
            node("inject", "inject", intervalType="seconds", intervalValue=10, repeat=True, topic="sensor/temperature",
                 payload={"temperature": 38.5, "sensor_id": "TMP-001", "location": "Room A"}),
            node("function", "function", rules=[]),
            node("if", "if", field="temperature", operator="gt", value="35"),
            node("template", "template", field="alert_message", syntax="mustache",
                 template="ALERT: {{temperature}}°C at {{location}} ({{sensor_id}})"),
            node("alert", "debug", output_to="console", complete=True),
            node("normal", "debug", output_to="console", complete=False),
            node("comment", "comment", text="About", color="#3b82f6"),
        ],
        "connections": wires("inject>function", "function>if", "if>template", "template>alert", "if>normal"),
    }  # fmt: skip
    found = await shown(engine, flow, 2)
    assert found["alert"]["payload"]["alert_message"] == "ALERT: 38.5°C at Room A (TMP-001)"
    assert found["alert"]["topic"] == "sensor/temperature"
    assert found["normal"] == {"temperature": 38.5, "sensor_id": "TMP-001", "location": "Room A"}


async def test_the_same_flow_with_ports_is_really_routed(bench: Bench) -> None:
    nodes = [
        node("if", "if", field="temperature", operator="gt", value="35"),
        {"id": "hot", "type": "tap"},
        {"id": "fine", "type": "tap"},
    ]
    await bench.run(nodes, [("if", "hot", 0), ("if", "fine", 1)])
    bench.send("if", {"payload": {"temperature": 36}})
    bench.send("if", {"payload": {"temperature": 20}})
    await bench.quiet()
    assert bench.payloads("hot") == [{"temperature": 36}] and bench.payloads("fine") == [{"temperature": 20}]


async def test_the_seeded_pipeline(engine: Engine) -> None:
    flow = {
        "id": "flow-default-data-pipeline",
        "nodes": [
            node("inject", "inject", intervalType="seconds", intervalValue=30, repeat=True, topic="sensors", payload={"humidity": 65}),
            node("change", "change", rules=[{"t": "set", "p": "device_id", "to": "EDGE-001", "tot": "str"}]),
            node("filter", "filter", property="humidity", operator="gt", value="80", valueType="number"),
            node("template", "template", template="{{device_id}}: {{humidity}}%", field="warning_message", syntax="mustache"),
            node("warn", "debug", output_to="console", complete=True),
            node("normal", "debug", output_to="console", complete=False),
        ],
        "connections": wires("inject>change", "change>filter", "filter>template", "template>warn", "filter>normal"),
    }  # fmt: skip
    found = await shown(engine, flow, 2)
    assert found["normal"] == {"humidity": 65, "device_id": "EDGE-001"}
    assert found["warn"]["payload"]["warning_message"] == "EDGE-001: 65%"


async def test_the_seeded_heartbeat(engine: Engine) -> None:
    flow = {
        "id": "flow-default-heartbeat",
        "nodes": [
            node("schedule", "schedule", cron="* * * * * *", payload={"status": "healthy", "hostname": "pi"}, topic="hb", timezone="Local"),
            node("function", "function", rules=[]),
            node("rbe", "rbe", property="status", mode="value", bandgap=0, invert=False),
            node("template", "template", template="Host: {{hostname}}\nStatus: {{status}}", field="report", syntax="mustache"),
            node("debug", "debug", output_to="console", complete=True),
        ],
        "connections": wires("schedule>function", "function>rbe", "rbe>template", "template>debug"),
    }  # fmt: skip
    found = await shown(engine, flow, 1)
    assert found["debug"]["payload"]["report"] == "Host: pi\nStatus: healthy"


async def test_the_example_file(engine: Engine) -> None:
    flow = {
        "id": "example-flow-1", "name": "Example", "version": "1.0.0",
        "nodes": [
            {"id": "inject-1", "type": "inject", "position": {"x": 100, "y": 100},
             "config": {"interval": "5s", "payload": {"message": "Hello"}, "topic": "test/message"}},
            {"id": "debug-1", "type": "debug", "position": {"x": 400, "y": 100}, "config": {"output_to": "console", "complete": False}},
        ],
        "connections": [{"id": "conn-1", "source_id": "inject-1", "target_id": "debug-1"}],
    }  # fmt: skip
    logs = engine.subscribe("log")
    assert await shown(engine, flow, 1) == {"debug-1": {"message": "Hello"}}
    line = await anext(logs)
    assert isinstance(line, LogWritten) and line.message == '{"message":"Hello"}'


async def test_the_sample_workflow_with_its_own_keys(bench: Bench) -> None:
    """JavaScript under `code`, rules as `{type, value, output}`, `sourceOutput`, a rate limit by `mode`."""
    code = "msg.payload = {temperature: msg.payload.temperature, status: msg.payload.temperature > 30 ? 'warning' : 'normal'};\nreturn msg;"
    nodes = [
        {"id": "i", "type": "inject", "x": 1, "y": 1, "config": {"interval": 30, "payload": {}, "repeat": True, "cron": "", "once": False}},
        {"id": "f", "type": "function", "config": {"code": code}, "wires": [["s"]]},
        {"id": "s", "type": "switch", "config": {"property": "payload.temperature", "rules": [
            {"type": "gt", "value": 35, "output": 0}, {"type": "between", "value": [25, 35], "output": 1}, {"type": "lt", "value": 25, "output": 2}]}},
        {"id": "w", "type": "delay", "config": {"delay": 2000, "mode": "rate-limit", "rate": 100, "rateUnit": "second"}},
        {"id": "hot", "type": "tap"}, {"id": "warm", "type": "tap"}, {"id": "cold", "type": "tap"},
        {"id": "d", "type": "debug", "config": {"output": "console", "active": True, "complete": "payload"}},
    ]  # fmt: skip
    await bench.run(
        nodes,
        [("i", "f"), ("f", "s"), ("s", "w", 0), ("w", "hot"), ("s", "warm", 1), ("s", "cold", 2), ("f", "d")],
    )
    for temperature in (40, 30, 10):
        bench.send("f", {"payload": {"temperature": temperature}})
    await bench.quiet()
    assert bench.payloads("hot") == [{"temperature": 40, "status": "warning"}]
    assert bench.payloads("warm") == [{"temperature": 30, "status": "normal"}]
    assert bench.payloads("cold") == [{"temperature": 10, "status": "normal"}]
