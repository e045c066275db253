# ruff: noqa: E501  tables of flows and code read better unbroken
"""JavaScript in function nodes: what it finds, what it may not, what becomes of what goes wrong."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.tests.engine.conftest import Bench
from edgeflow_agent.engine import Engine, FlowRefused, StatusShown


async def run(bench: Bench, code: str, *messages: Any, outputs: int = 1, **config: Any) -> list[list[Any]]:
    sent = await bench.through(
        "function", {"func": code, "outputs": outputs, **config}, *messages, outputs=outputs
    )
    return [[message.get("payload") for message in each] for each in sent]


async def caught(bench: Bench, code: str, *messages: Any, **config: Any) -> list[str]:
    """The errors that a catch node gets."""
    nodes = [
        {"id": "n", "type": "function", "config": {"func": code, **config}},
        {"id": "c", "type": "catch"},
        {"id": "t0", "type": "tap"},
    ]
    if bench.engine.flows():
        await bench.engine.remove("f")
    await bench.run(nodes, [("c", "t0")])
    for message in messages or (1,):
        bench.send("n", message)
    await bench.quiet(30)
    return [message["error"]["message"] for message in bench.seen("t0")]  # type: ignore[index]


async def test_outputs_as_node_red_has_them(bench: Bench) -> None:
    assert await run(bench, "msg.payload *= 2; return msg;", 1, 2) == [[2, 4]]
    assert await run(bench, "return null;", 1) == [[]]
    assert await run(bench, "return [msg, null, [{payload: 'a'}, {payload: 'b'}]];", 1, outputs=3) == [
        [1],
        [],
        ["a", "b"],
    ]
    assert await run(bench, "return [[{payload: 1}, {payload: 2}]];", 0) == [[1, 2]]
    assert await run(
        bench,
        "node.send({payload: 'now'}); node.send([null, {payload: 'two'}]); return msg;",
        "end",
        outputs=2,
    ) == [["now", "end"], ["two"]]
    assert await run(bench, "node.send([[1,2,3].map(n => ({payload: n}))]); return;", 0) == [[1, 2, 3]]
    assert await run(bench, "if (msg.payload > 1) return msg;", 1, 2, 3) == [[2, 3]]


async def test_the_message_id_stays(bench: Bench) -> None:
    (sent,) = await bench.through("function", {"func": "return {payload: msg._msgid};"}, 1)
    assert sent[0]["_msgid"] == sent[0]["payload"]


async def test_later_by_timer_and_by_promise_and_in_order(bench: Bench) -> None:
    code = "setTimeout(() => { node.send({payload: 'late ' + msg.payload}); node.done(); }, 30); return;"
    await run(bench, code, 1)
    await bench.until(lambda: bench.payloads("t0") == ["late 1"])
    code = "const wait = (ms) => new Promise((r) => setTimeout(r, ms)); await wait(20); msg.payload = 'waited'; return msg;"
    assert await run(bench, code, 1) == [["waited"]]
    assert await run(bench, "msg.payload = msg.payload + 1; return msg;", *range(2_000)) == [
        list(range(1, 2_001))
    ]


async def test_contexts_are_shared_with_native_nodes_and_kept(bench: Bench) -> None:
    code = (
        "const n = (context.get('n') || 0) + 1; context.set('n', n); flow.set('a.b', n); global.set('g', [n]);"
        "msg.payload = [context.get('n'), flow.get('a'), flow.get('a.b'), global.get('g')[0], context.keys(), flow.get('native'), env.get('limit')];"
        "return msg;"
    )
    nodes = [
        {"id": "c", "type": "change", "config": {"rules": [{"t": "set", "p": "native", "pt": "flow", "to": "payload", "tot": "msg"}]}},
        {"id": "n", "type": "function", "config": {"func": code}}, {"id": "t", "type": "tap"},
    ]  # fmt: skip
    await bench.run(
        nodes, [("c", "n"), ("n", "t")], variables=[{"name": "limit", "type": "number", "value": "30"}]
    )
    bench.send("c", 7)
    bench.send("c", 8)
    await bench.quiet()
    assert bench.payloads("t") == [[1, {"b": 1}, 1, 1, ["n"], 7, "30"], [2, {"b": 2}, 2, 2, ["n"], 8, "30"]]
    node = bench.engine.node("f", "n")
    assert (node.context.get("n"), node.flow_context.get("a"), node.global_context.get("g")) == (
        2,
        {"b": 2},
        [2],
    )


async def test_setup_and_close_code(bench: Bench) -> None:
    subscription = bench.engine.subscribe("log")
    config: dict[str, Any] = {
        "initialize": "context.set('base', 40);",
        "finalize": "console.log('closing', context.get('base'));",
    }
    assert await run(bench, "msg.payload += context.get('base'); return msg;", 2, **config) == [[42]]
    await bench.engine.stop("f")
    assert (await anext(subscription)).message == "closing 40"  # type: ignore[union-attr]
    with pytest.raises(FlowRefused, match="did not start: Error: no sensor"):
        await run(bench, "return msg;", 1, initialize="throw new Error('no sensor')")
    with pytest.raises(FlowRefused, match="SyntaxError"):
        await run(bench, "return msg;;; }", 1)


async def test_status_log_and_error(bench: Bench) -> None:
    subscription = bench.engine.subscribe("log", "status")
    code = "node.status({fill: 'red', shape: 'ring', text: 'hot'}); node.warn('careful'); node.error('bad', msg); return null;"
    assert await caught(bench, code, 1) == ["bad"]
    events = [await anext(subscription), await anext(subscription)]
    status = next(event for event in events if isinstance(event, StatusShown))
    assert (status.text, status.fill, status.shape) == ("hot", "red", "ring")
    assert any(getattr(event, "message", "") == "careful" for event in events)


async def test_errors_name_what_went_wrong(bench: Bench) -> None:
    assert await caught(bench, "throw new Error('three')") == ["Error: three"]
    assert await caught(bench, "return 'text'") == [
        "TypeError: Function tried to send a message of type string"
    ]
    assert await caught(bench, "await 1; throw new RangeError('later')") == ["RangeError: later"]
    assert "is not defined" in (await caught(bench, "return require('fs')"))[0]
    with pytest.raises(FlowRefused, match="Modules are not known here"):
        await run(bench, "return msg", 1, libs=[{"var": "os", "module": "os"}])


async def test_buffers_and_handles_pass_unchanged(bench: Bench) -> None:
    handle = object()
    code = "msg.text = msg.payload.toString('hex'); msg.size = msg.payload.length; msg.payload = Buffer.concat([msg.payload, Buffer.from('é')]); return msg;"
    (sent,) = await bench.through("function", {"func": code}, {"payload": b"\x00\xff", "res": handle})
    assert (sent[0]["text"], sent[0]["size"], sent[0]["payload"]) == ("00ff", 2, b"\x00\xff\xc3\xa9")
    assert sent[0]["res"] is handle


async def test_a_loop_without_end_and_too_much_memory_end_the_call_only(bench: Bench) -> None:
    code = "if (msg.payload === 'loop') while (true) {} if (msg.payload === 'eat') { let a = []; while (true) a.push(new Array(1000).fill(1)); } node.send({payload: 'fine'});"
    nodes = [{"id": "n", "type": "function", "config": {"func": code, "timeout": 0.3, "memory": 8}},
             {"id": "c", "type": "catch"}, {"id": "e", "type": "tap"}, {"id": "t", "type": "tap"}]  # fmt: skip
    await bench.run(nodes, [("c", "e"), ("n", "t")])
    for what in ("x", "loop", "x", "eat", "x"):
        bench.send("n", what)
    await bench.quiet(20)
    assert bench.payloads("t") == ["fine"] * 3
    assert [message["error"]["message"] for message in bench.seen("e")] == [  # type: ignore[index]
        "the code ran longer than its time limit", "the code used more memory than its limit",
    ]  # fmt: skip


def worker_of(bench: Bench, node: str = "n") -> psutil.Process:
    return psutil.Process(bench.engine.node("f", node)._bridge.pid)  # type: ignore[attr-defined]


async def test_a_killed_or_stopped_process_starts_anew(bench: Bench) -> None:
    assert await run(
        bench, "context.set('n', (context.get('n') || 0) + 1); return {payload: context.get('n')};", 1
    ) == [[1]]
    first = worker_of(bench).pid
    os.kill(first, signal.SIGKILL)
    node: Any = bench.engine.node("f", "n")
    await bench.until(lambda: node._bridge is not None and worker_of(bench).pid != first)
    await bench.until(lambda: bool(node._loaded.done()))
    bench.send("n", 1)
    await bench.until(
        lambda: bench.payloads("t0") == [1, 2]
    )  # What it remembers is the agent's, not the process's.


async def test_a_hung_process_is_ended(bench: Bench) -> None:
    nodes = [
        {"id": "n", "type": "function", "config": {"func": "return msg", "timeout": 0.2}},
        {"id": "c", "type": "catch"},
        {"id": "e", "type": "tap"},
    ]
    await bench.run(nodes, [("c", "e")])
    process = worker_of(bench)
    process.suspend()
    bench.send("n", 1)
    await bench.until(lambda: bench.seen("e"), 15)
    assert "hung" in str(bench.seen("e")[0]["error"])
    await bench.until(lambda: not psutil.pid_exists(process.pid) or process.status() == psutil.STATUS_ZOMBIE)


async def test_one_process_a_flow_small_and_gone_with_it(bench: Bench) -> None:
    nodes = [{"id": name, "type": "function", "config": {"func": "return msg"}} for name in ("n", "m")]
    await bench.run(nodes, [("n", "m")])
    process = worker_of(bench)
    assert worker_of(bench, "m").pid == process.pid
    bench.send("n", 1)
    await bench.quiet()
    assert process.memory_info().rss < 24e6
    await bench.engine.stop("f")
    assert not psutil.pid_exists(process.pid)


async def test_the_process_has_no_way_out(bench: Bench) -> None:
    """QuickJS has no files and sockets; should somebody break out of it, the kernel refuses."""
    await run(bench, "return msg", 1)
    text = Path(f"/proc/{worker_of(bench).pid}/status").read_text()
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


async def test_two_flows_do_not_share_a_process(bench: Bench, engine: Engine) -> None:
    await run(bench, "return msg", 1)
    await engine.deploy(
        {"id": "g", "nodes": [{"id": "n", "type": "function", "config": {"func": "while(true){}"}}]}
    )
    await engine.start("g")
    engine.inject("g", "n")
    began = asyncio.get_running_loop().time()
    bench.send("n", 2)
    await bench.until(lambda: bench.payloads("t0") == [1, 2])
    assert asyncio.get_running_loop().time() - began < 2
