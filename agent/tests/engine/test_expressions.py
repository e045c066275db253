"""JSONata where Node-RED has it, and the field runtime's expressions; see test_against_nodered for more."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from agent.tests.engine.conftest import Bench
from edgeflow_agent.engine import FlowRefused
from edgeflow_agent.engine.nodes.core import sequences


async def test_the_field_runtimes_expression_means_the_payload(bench: Bench) -> None:
    rules = [{"action": "set", "property": "f", "value": "celsius * 1.8 + 32", "valueType": "expression"}]
    [seen] = await bench.through("function", {"rules": rules}, {"payload": {"celsius": 21.5}})
    assert seen[0]["payload"] == {"celsius": 21.5, "f": 70.7}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("payload.", "is no JSONata expression"),
        ("$nothing(payload)", "failed"),
        ("function($x) { $x }", "is a function"),
        ("($f := function($n) { $f($n + 1) + 1 }; $f(1))", "calls itself too deep"),
        ("($f := function($n) { $n < 0 ? 1 : $f($n + 1) }; $f(1))", "failed"),  # an endless loop
    ],
)
async def test_what_cannot_be_is_said_and_soon(bench: Bench, text: str, part: str) -> None:
    rule = {"t": "set", "p": "payload", "pt": "msg", "to": text, "tot": "jsonata"}
    nodes: list[dict[str, Any]] = [
        {"id": "n", "type": "change", "config": {"rules": [rule]}},
        {"id": "c", "type": "catch"},
        {"id": "e", "type": "tap"},
    ]
    began = time.monotonic()
    try:
        await bench.run(nodes, [("c", "e")])
    except FlowRefused as error:
        assert part in str(error)
        return
    bench.send("n", {"payload": 1})
    await bench.until(lambda: bench.seen("e"))
    said: Any = bench.seen("e")[0]["error"]
    assert part in said["message"]
    assert time.monotonic() - began < 5


JOINED = "$globalContext('limit.high') & $env('UNIT')"


async def test_environment_and_contexts(bench: Bench) -> None:
    flow = {"variables": [{"name": "UNIT", "value": "bar"}]}
    rules = [
        {"t": "set", "p": "limit.high", "pt": "global", "to": "7", "tot": "num"},
        {
            "t": "set",
            "p": "payload",
            "pt": "msg",
            "to": "$globalContext('limit.high') & $env('UNIT')",
            "tot": "jsonata",
        },
    ]
    nodes: list[dict[str, Any]] = [
        {"id": "n", "type": "change", "config": {"rules": rules}},
        {"id": "t", "type": "tap"},
    ]
    await bench.run(nodes, [("n", "t")], **flow)
    bench.send("n", 1)
    await bench.until(lambda: bench.seen("t"))
    assert bench.payloads("t") == ["7bar"]


async def test_unfinished_sequences_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "MESSAGES", 3)
    nodes: list[dict[str, Any]] = [
        {
            "id": "n",
            "type": "join",
            "config": {"mode": "reduce", "reduceExp": "$A + payload", "reduceInit": 0},
        },
        {"id": "c", "type": "catch"},
        {"id": "e", "type": "tap"},
    ]
    await bench.run(nodes, [("c", "e")])
    for number in range(4):
        bench.send("n", {"payload": 1, "parts": {"id": str(number), "index": 0, "count": 2}})
    await bench.until(lambda: bench.seen("e"))
    assert "wait for the rest" in bench.seen("e")[0]["error"]["message"]  # type: ignore[index]


async def test_reduce_needs_an_expression(bench: Bench) -> None:
    with pytest.raises(FlowRefused, match="needs an expression: reduceExp"):
        await bench.through("join", {"mode": "reduce"})


def test_the_library_costs_nothing_until_it_is_used() -> None:
    code = "import sys, edgeflow_agent.app as a; r = a.Engine().registry; [r.get(n) for n in r.names()]; "
    code += "print(sorted({'jsonata', 'serialx', 'aiomqtt', 'pymodbus', 'asyncpg'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
