# ruff: noqa: E501  tables of flows and code read better unbroken
"""How flows run: order, isolation, bounds, observers, links, contexts, redeploy, executions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.tests.engine.conftest import Bench, Folder, Tap
from edgeflow_agent.engine import (
    Engine,
    Execution,
    ExecutionEnded,
    FlowRefused,
    FlowUnknown,
    Message,
    Node,
    NodeConfig,
    NodeError,
)
from edgeflow_agent.engine import lane as lanes


class Slow(Node[NodeConfig]):
    """Takes its time with each."""

    type = "slow"
    seconds = 0.002

    async def receive(self, message: Message) -> None:
        await asyncio.sleep(self.seconds)
        self.send(message)


class Broken(Node[NodeConfig]):
    """Fails."""

    type = "broken"

    def receive(self, message: Message) -> None:
        raise NodeError(f"cannot do {message['payload']}")


class Many(Node[NodeConfig]):
    """Makes many of one, awaiting room."""

    type = "many"
    total = 30_000

    async def receive(self, message: Message) -> None:
        for number in range(self.total):
            if number % 100 == 0:
                await self.room()
            self.send({"payload": number})


@pytest.fixture(autouse=True)
def types(engine: Engine) -> None:
    for node in (Slow, Broken, Many):
        engine.registry.add(node)


async def test_order_is_kept_through_waiting_and_forwarding_nodes(bench: Bench) -> None:
    nodes = [{"id": name, "type": kind, "config": config} for name, kind, config in (
        ("c", "change", {"rules": [{"t": "set", "p": "x", "to": "1"}]}), ("s", "slow", {}),
        ("r", "rbe", {}), ("t", "tap", {}))]  # fmt: skip
    await bench.run(nodes, [("c", "s"), ("s", "r"), ("r", "t")])
    for number in range(200):
        bench.send("c", number)
    await bench.quiet()
    assert bench.payloads("t") == list(range(200))


async def test_fan_out_clones_for_all_but_one(bench: Bench) -> None:
    change = {"rules": [{"t": "set", "p": "payload.deep.x", "to": "changed"}]}
    nodes = [
        {"id": "n", "type": "link-in"},
        {"id": "c", "type": "change", "config": change},
        {"id": "a", "type": "tap"},
        {"id": "b", "type": "tap"},
    ]
    await bench.run(nodes, [("n", "c"), ("c", "a"), ("n", "b")])
    bench.send("n", {"payload": {"deep": {"x": "as it was"}}})
    await bench.quiet()
    (a,), (b,) = bench.seen("a"), bench.seen("b")
    assert a["payload"] == {"deep": {"x": "changed"}} and b["payload"] == {"deep": {"x": "as it was"}}
    assert a["_msgid"] == b["_msgid"]


async def test_an_error_is_its_nodes_own_and_is_caught(bench: Bench) -> None:
    nodes = [
        {"id": "n", "type": "link-in"}, {"id": "x", "type": "broken", "name": "X"}, {"id": "ok", "type": "tap"},
        {"id": "c", "type": "catch", "config": {"scope": "all"}}, {"id": "caught", "type": "tap"},
        {"id": "u", "type": "catch", "config": {"uncaught": True}}, {"id": "uncaught", "type": "tap"},
    ]  # fmt: skip
    await bench.run(nodes, [("n", "x"), ("n", "ok"), ("c", "caught"), ("u", "uncaught")])
    bench.send("n", {"payload": 1, "topic": "t"})
    await bench.quiet()
    assert bench.payloads("ok") == [1] and bench.seen("uncaught") == []
    (caught,) = bench.seen("caught")
    assert caught["topic"] == "t"
    assert caught["error"] == {
        "message": "cannot do 1",
        "source": {"id": "x", "type": "broken", "name": "X", "count": 1},
    }


async def test_an_error_in_the_catch_branch_ends(bench: Bench) -> None:
    nodes = [{"id": "x", "type": "broken"}, {"id": "c", "type": "catch"}]
    await bench.run(nodes, [("c", "x")])
    bench.send("x", 1)
    await bench.quiet()
    assert bench.engine.node("f", "x").received == 10  # Once, and nine times more by the catch node.


async def test_uncaught_errors_go_to_the_log_and_fail_the_execution(bench: Bench) -> None:
    subscription = bench.engine.subscribe("log")
    await bench.run([{"id": "x", "type": "broken"}], [])
    bench.send("x", 5)
    line = await asyncio.wait_for(anext(subscription), 5)
    assert (line.level, line.message, line.node_id) == ("error", "cannot do 5", "x")  # type: ignore[union-attr]
    await bench.until(lambda: bench.engine.executions(status="failed"))
    assert bench.engine.executions(status="failed")[0].error == "x: cannot do 5"
    assert bench.engine.totals().executions_failed == 1


async def test_complete_and_status_nodes(bench: Bench) -> None:
    nodes = [
        {"id": "s", "type": "slow"}, {"id": "d", "type": "debug", "config": {"tostatus": True}},
        {"id": "c", "type": "complete", "config": {"scope": ["s"]}}, {"id": "done", "type": "tap"},
        {"id": "st", "type": "status", "config": {"scope": "nodes", "nodeIds": ["d"]}}, {"id": "status", "type": "tap"},
    ]  # fmt: skip
    await bench.run(nodes, [("s", "d"), ("c", "done"), ("st", "status")])
    bench.send("s", "hello")
    await bench.quiet()
    assert bench.payloads("done") == ["hello"]
    status: Any = bench.seen("status")[0]["status"]
    assert (status["text"], status["fill"], status["source"]["id"]) == ("hello", "grey", "d")


async def test_links_within_a_flow_between_flows_and_calls(bench: Bench) -> None:
    other = {
        "id": "g",
        "nodes": [
            {"id": "gin", "type": "link-in", "config": {"linkId": "double"}},
            {
                "id": "fn",
                "type": "change",
                "config": {"rules": [{"t": "set", "p": "payload", "to": "answered"}]},
            },
            {"id": "back", "type": "link-out", "config": {"mode": "return"}},
        ],
        "connections": [{"source": "gin", "target": "fn"}, {"source": "fn", "target": "back"}],
    }
    await bench.engine.deploy(other)
    nodes = [
        {"id": "out", "type": "link-out", "config": {"links": ["in"]}}, {"id": "in", "type": "link-in", "config": {"links": ["out"]}},
        {"id": "call", "type": "link-call", "config": {"linkId": "double", "timeout": 1}},
        {"id": "t", "type": "tap"}, {"id": "c", "type": "catch"}, {"id": "e", "type": "tap"},
    ]  # fmt: skip
    await bench.run(nodes, [("in", "t"), ("call", "t"), ("c", "e")])
    bench.send("out", 1)
    bench.send("call", 2)
    await bench.quiet()
    assert bench.payloads("t") == [1]
    assert "no running link-in double" in str(bench.seen("e")[0]["error"])
    await bench.engine.start("g")
    bench.send("call", 3)
    await bench.until(lambda: bench.payloads("t") == [1, "answered"])
    assert "_linkSource" not in bench.seen("t")[1]


async def test_a_wire_that_names_no_port_leaves_from_each(bench: Bench) -> None:
    nodes = [
        {"id": "n", "type": "if", "config": {"field": "payload", "operator": "gt", "value": 1}},
        {"id": "t", "type": "tap"},
    ]
    await bench.run(nodes, [("n", "t")])
    bench.send("n", 0)
    bench.send("n", 2)
    await bench.quiet()
    assert bench.payloads("t") == [0, 2]


async def test_a_maker_of_many_waits_for_room_and_loses_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Slow, "seconds", 0)
    monkeypatch.setattr(Many, "total", 5_000)
    await bench.run(
        [{"id": name, "type": name} for name in ("many", "slow", "tap")], [("many", "slow"), ("slow", "tap")]
    )
    bench.send("many", 0)
    most = 0
    while not bench.seen("tap"):  # noqa: ASYNC110
        await asyncio.sleep(0)
    while bench.engine.node("f", "slow").inbox:
        most = max(most, len(bench.engine.node("f", "slow").inbox))
        await asyncio.sleep(0)
    await bench.quiet(30)
    assert bench.payloads("tap") == list(range(5_000))
    assert most <= 2 * lanes.ROOMY + 200  # As many again may be in the queue.


async def test_what_comes_to_a_full_inbox_is_dropped_counted_and_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "INBOX", 10)
    subscription = bench.engine.subscribe("log")
    await bench.run([{"id": "slow", "type": "slow"}, {"id": "t", "type": "tap"}], [("slow", "t")])
    for number in range(100):
        bench.send("slow", number)
    await bench.quiet()
    assert bench.payloads("t") == list(range(11))
    assert bench.engine.node("f", "slow").dropped == 89
    assert "inbox is full" in (await anext(subscription)).message  # type: ignore[union-attr]


async def test_a_loop_without_a_pause_leaves_the_agent_its_turn(bench: Bench) -> None:
    change = {"rules": [{"t": "set", "p": "x", "to": "1"}]}
    await bench.run(
        [{"id": "a", "type": "change", "config": change}, {"id": "b", "type": "change", "config": change}],
        [("a", "b"), ("b", "a")],
    )
    bench.send("a", 1)
    loop = asyncio.get_running_loop()
    worst = 0.0
    for _ in range(50):
        began = loop.time()
        await asyncio.sleep(0)
        worst = max(worst, loop.time() - began)
    assert bench.engine.node("f", "a").received > 100
    assert worst < 0.25
    await asyncio.wait_for(bench.engine.stop("f"), 5)


async def test_contexts_come_back_after_a_restart(tmp_path: Path) -> None:
    rules = [
        {"t": "set", "p": "count.n", "pt": "flow", "to": "payload", "tot": "msg"},
        {"t": "set", "p": "everywhere", "pt": "global", "to": "payload", "tot": "msg"},
    ]
    flow = {
        "id": "a/b",
        "nodes": [{"id": "n", "type": "change", "config": {"rules": rules}}],
        "connections": [],
    }
    engine = Engine(Folder(tmp_path))
    await engine.deploy(flow)
    await engine.start("a/b")
    engine.inject("a/b", "n", {"payload": {"deep": [1, "x"]}})
    await asyncio.sleep(0.05)
    await engine.close()
    again = Engine(Folder(tmp_path))
    await again.deploy(flow)
    assert again.contexts.flow("a/b").get("count") == {"n": {"deep": [1, "x"]}}
    assert again.contexts.whole.get("everywhere") == {"deep": [1, "x"]}
    await again.remove("a/b")
    await again.close()
    assert [path.name for path in tmp_path.iterdir()] == ["contexts.json"]


async def test_a_redeploy_touches_only_what_changed(bench: Bench) -> None:
    nodes: list[dict[str, Any]] = [
        {"id": "a", "type": "rbe"},
        {"id": "b", "type": "template", "config": {"template": "1"}},
        {"id": "t", "type": "tap"},
    ]
    await bench.run(nodes, [("a", "b"), ("b", "t")])
    kept, changed, tap = (bench.engine.node("f", name) for name in ("a", "b", "t"))
    bench.send("a", 1)
    await bench.quiet()
    nodes[0] = {**nodes[0], "name": "renamed", "x": 9, "y": 9}
    nodes[1] = {**nodes[1], "config": {"template": "2"}}
    await bench.run([*nodes, {"id": "u", "type": "tap"}], [("a", "b"), ("b", "t"), ("b", "u")])
    assert bench.engine.node("f", "a") is kept and kept.name == "renamed"
    assert bench.engine.node("f", "t") is tap
    assert bench.engine.node("f", "b") is not changed
    bench.send("a", 1)  # The kept rbe knows this one.
    bench.send("a", 2)
    await bench.quiet()
    assert bench.payloads("t") == ["1", "2"] and bench.payloads("u") == ["2"]
    with pytest.raises(FlowRefused, match="has no running node u"):
        await bench.run(nodes, [("a", "b"), ("b", "t")])
        bench.engine.node("f", "u")


async def test_a_refused_redeploy_leaves_the_old_one_running(bench: Bench) -> None:
    await bench.run([{"id": "t", "type": "tap"}], [])
    with pytest.raises(FlowRefused, match="warp"):
        await bench.engine.deploy({"id": "f", "nodes": [{"id": "t", "type": "warp"}]})
    bench.send("t", 1)
    await bench.quiet()
    assert bench.payloads("t") == [1]


async def test_variables_environment_and_secrets_fill_configs() -> None:
    engine = Engine(environment=lambda: {"SITE": "hall 3", "limit": "of the device"})
    engine.registry.add(Tap)
    await engine.deploy(
        {
            "id": "f", "variables": [{"name": "limit", "type": "number", "value": "30"}],
            "nodes": [
                {"id": "c", "type": "change", "config": {"rules": [
                    {"t": "set", "p": "payload", "to": "${limit} in ${SITE} ${NONE}", "tot": "str"},
                    {"t": "set", "p": "env", "to": "SITE", "tot": "env"}]}},
                {"id": "t", "type": "tap"},
            ],
            "connections": [{"source": "c", "target": "t"}],
        }
    )  # fmt: skip
    await engine.start("f")
    engine.inject("f", "c")
    await asyncio.sleep(0.02)
    (message,) = engine.node("f", "t").seen  # type: ignore[attr-defined]
    assert (message["payload"], message["env"]) == ("30 in hall 3 ${NONE}", "hall 3")
    await engine.close()


async def test_executions_say_what_each_node_did(bench: Bench) -> None:
    subscription = bench.engine.subscribe("execution")
    nodes = [
        {"id": "n", "type": "split", "name": "Split"},
        {"id": "s", "type": "slow"},
        {"id": "t", "type": "tap"},
    ]
    await bench.run(nodes, [("n", "s"), ("s", "t")])
    start = (await anext(subscription)).execution  # type: ignore[union-attr]
    assert (start.trigger, start.status, [node.node_id for node in start.nodes]) == (
        "start",
        "succeeded",
        ["n", "s", "t"],
    )
    bench.send("n", [1, 2, 3])
    event = await asyncio.wait_for(anext(subscription), 5)
    assert isinstance(event, ExecutionEnded)
    done: Execution = event.execution
    assert (done.flow_id, done.flow_name, done.status, done.trigger) == ("f", "F", "succeeded", "n")
    assert (
        done.execution_id.startswith("exec_")
        and done.finished_at is not None
        and done.finished_at >= done.started_at
    )
    by_id = {node.node_id: node for node in done.nodes}
    assert (by_id["n"].messages_in, by_id["n"].messages_out, by_id["n"].name) == (1, 3, "Split")
    assert (by_id["s"].messages_in, by_id["s"].messages_out) == (3, 3)
    assert 4 < by_id["s"].duration_ms < 1000
    assert bench.engine.executions()[0].execution_id == done.execution_id


async def test_very_many_executions_are_counted_and_not_all_told(bench: Bench) -> None:
    await bench.run([{"id": "t", "type": "tap"}], [])
    for number in range(5_000):
        bench.send("t", number)
    await bench.quiet()
    assert bench.engine.totals().executions_total == 5_001
    assert len(bench.engine.executions()) <= 100


async def test_stopping_cancels_what_is_under_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slow, "seconds", 60)
    await bench.run([{"id": "slow", "type": "slow"}], [])
    bench.send("slow", 1)
    await bench.until(lambda: bench.engine.executions(status="running"))
    await asyncio.wait_for(bench.engine.stop("f"), 5)
    assert [each.status for each in bench.engine.executions()][:1] == ["cancelled"]
    assert bench.engine.state("f").status == "stopped"


async def test_a_node_that_does_not_start_is_named_and_the_others_are_stopped(bench: Bench) -> None:
    stopped: list[str] = []

    class Opens(Node[NodeConfig]):
        type = "opens"

        async def stop(self) -> None:
            stopped.append(self.id)

    class Refuses(Opens):
        type = "refuses"

        async def start(self) -> None:
            raise NodeError("the sensor is not there")

    bench.engine.registry.add(Opens)
    bench.engine.registry.add(Refuses)
    with pytest.raises(
        FlowRefused, match=r"Node 'R' \(r\) \(refuses\) of flow 'F' did not start: the sensor is not there"
    ):
        await bench.run([{"id": "o", "type": "opens"}, {"id": "r", "type": "refuses", "name": "R"}], [])
    assert sorted(stopped) == ["o", "r"]
    state = bench.engine.state("f")
    assert state.status == "error" and "the sensor is not there" in state.error
    (execution,) = bench.engine.executions()
    assert execution.status == "failed" and execution.trigger == "start"


async def test_unknown_flows_are_refused(engine: Engine) -> None:
    for call in (engine.start, engine.stop, engine.remove):
        with pytest.raises(FlowUnknown, match="no flow nope"):
            await call("nope")


async def test_debug_values_are_json_and_bounded(bench: Bench) -> None:
    await bench.run([{"id": "d", "type": "debug"}], [])
    subscription = bench.engine.subscribe("debug")
    for value in (b"\x01\x02", "x" * 100_000, list(range(10_000)), {"a": {"b": 1}}):
        bench.send("d", {"payload": value, "topic": "t"})
    await bench.quiet()
    shown = [await anext(subscription) for _ in range(4)]
    assert shown[0].value == {"type": "Buffer", "data": "0102", "length": 2} and shown[0].format == "buffer"  # type: ignore[union-attr]
    assert all(len(str(each.value)) < 10_000 for each in shown)  # type: ignore[union-attr]
    assert shown[3].value == {"a": {"b": 1}} and shown[3].topic == "t"  # type: ignore[union-attr]


async def test_a_slow_subscriber_loses_the_oldest_and_knows(bench: Bench) -> None:
    await bench.run([{"id": "d", "type": "debug"}], [])
    subscription = bench.engine.subscribe("debug")
    for number in range(1_500):
        bench.send("d", number)
    await bench.quiet()
    assert subscription.lost == 500
    assert (await anext(subscription)).value == 500  # type: ignore[union-attr]


def test_the_catalogue_has_a_form_for_every_type(engine: Engine) -> None:
    from edgeflow_agent.engine.nodes import BUILTIN

    entries = {entry["type"]: entry for entry in engine.node_types()}
    assert set(BUILTIN) <= set(entries)
    for entry in entries.values():
        schema: Any = entry["schema"]
        assert entry["description"] and schema["type"] == "object", entry["type"]
        assert entry["category"] in ("input", "output", "processing", "function")
