# ruff: noqa: E501  tables of flows and code read better unbroken
"""What the core types do with messages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent.tests.engine.conftest import Bench
from edgeflow_agent.engine import FlowRefused


def payloads(messages: list[dict[str, Any]]) -> list[Any]:
    return [message.get("payload") for message in messages]


SWITCH = [
    ({"t": "eq", "v": "5", "vt": "num"}, [5, "5", 5.0], [6, "x", None]),
    ({"t": "neq", "v": "a", "vt": "str"}, ["b", 1], ["a"]),
    ({"t": "lt", "v": "10"}, [9, "9"], [10, 11]),
    ({"t": "lte", "v": 10}, [10], [10.5]),
    ({"t": "gt", "v": "b", "vt": "str"}, ["c"], ["a", "b"]),
    ({"t": "gte", "v": "10", "vt": "num"}, [10, 99], [9]),
    ({"t": "btwn", "v": "1", "vt": "num", "v2": "3", "v2t": "num"}, [1, 2, 3], [0, 4]),
    ({"t": "cont", "v": "ell", "vt": "str"}, ["hello"], ["world"]),
    ({"t": "regex", "v": "^A\\d", "vt": "str", "case": True}, ["a1", "A2"], ["b1"]),
    ({"t": "true"}, [True], [1, "true", False]),
    ({"t": "false"}, [False], [0, None]),
    ({"t": "null"}, [None], [0, ""]),
    ({"t": "nnull"}, [0, ""], [None]),
    ({"t": "empty"}, ["", [], {}, b""], ["a", [1], 0]),
    ({"t": "nempty"}, ["a", [0], {"a": 1}], ["", []]),
    ({"t": "istype", "v": "number"}, [1, 1.5], ["1", True]),
    ({"t": "istype", "v": "array"}, [[1]], ["1", {}]),
    ({"t": "istype", "v": "json"}, ['{"a":1}'], ["{"]),
    ({"t": "hask", "v": "a", "vt": "str"}, [{"a": 0}], [{"b": 0}, "a"]),
]


@pytest.mark.parametrize(
    ("rule", "fits", "others"), SWITCH, ids=[f"{rule['t']}{rule.get('v', '')}" for rule, _, _ in SWITCH]
)
async def test_switch_rules(bench: Bench, rule: dict[str, Any], fits: list[Any], others: list[Any]) -> None:
    sent = await bench.through("switch", {"rules": [rule, {"t": "else"}]}, *fits, *others, outputs=2)
    assert payloads(sent[0]) == fits
    assert payloads(sent[1]) == others


async def test_switch_sends_to_all_that_fit_or_only_to_the_first(bench: Bench) -> None:
    rules = [{"t": "gt", "v": 1}, {"t": "gt", "v": 2}, {"t": "else"}]
    sent = await bench.through(
        "switch", {"rules": rules, "checkall": "true"}, {"payload": 3, "deep": [1]}, outputs=3
    )
    assert [len(each) for each in sent] == [1, 1, 0]
    assert sent[0][0]["deep"] is not sent[1][0]["deep"]
    sent = await bench.through("switch", {"rules": rules, "checkall": "false"}, 3, outputs=3)
    assert [len(each) for each in sent] == [1, 0, 0]


async def test_switch_compares_with_the_previous_value(bench: Bench) -> None:
    rule = {"t": "neq", "v": "", "vt": "prev"}
    (sent,) = await bench.through("switch", {"rules": [rule]}, 1, 1, 2, 2, 1)
    assert payloads(sent) == [1, 2, 1]


async def test_if_and_filter(bench: Bench) -> None:
    sent = await bench.through(
        "if",
        {"field": "payload.t", "operator": "gt", "value": "20"},
        {"payload": {"t": 21}},
        {"payload": {"t": 20}},
        outputs=2,
    )
    assert [payloads(each) for each in sent] == [[{"t": 21}], [{"t": 20}]]
    sent = await bench.through(
        "if", {"condition": "payload.t >= 20"}, {"payload": {"t": 20}}, {"payload": {}}, outputs=2
    )
    assert [len(each) for each in sent] == [1, 1]
    (sent_,) = await bench.through("filter", {"operator": "between", "value": "1", "value2": "3"}, 0, 1, 3, 4)
    assert payloads(sent_) == [1, 3]
    (sent_,) = await bench.through("filter", {"operator": "not_contains", "value": "x"}, "ax", "ab")
    assert payloads(sent_) == ["ab"]


async def test_change(bench: Bench) -> None:
    rules = [
        {"t": "set", "p": "payload.new.deep", "pt": "msg", "to": "5", "tot": "num"},
        {"t": "set", "p": "copy", "pt": "msg", "to": "payload", "tot": "msg"},
        {"t": "change", "p": "topic", "pt": "msg", "from": "a", "fromt": "str", "to": "b", "tot": "str"},
        {"t": "move", "p": "payload.old", "pt": "msg", "to": "moved", "tot": "msg"},
        {"t": "delete", "p": "payload.gone", "pt": "msg"},
        {"t": "set", "p": "seen", "pt": "flow", "to": "topic", "tot": "msg"},
        {"t": "set", "p": "from_flow", "pt": "msg", "to": "seen", "tot": "flow"},
        {"t": "set", "p": "list[1].x", "pt": "msg", "to": '{"a":1}', "tot": "json"},
    ]
    (sent,) = await bench.through(
        "change", {"rules": rules}, {"payload": {"old": 1, "gone": 2}, "topic": "aXa"}
    )
    message = sent[0]
    assert message["payload"] == {"new": {"deep": 5}}
    assert message["copy"] == {"new": {"deep": 5}, "old": 1, "gone": 2}
    assert (message["topic"], message["moved"], message["from_flow"]) == ("bXb", 1, "bXb")
    assert message["list"] == [None, {"x": {"a": 1}}]


async def test_set_of_the_field_runtime_and_its_function_rules(bench: Bench) -> None:
    (sent,) = await bench.through(
        "set", {"rules": [{"t": "set", "p": "payload.a", "to": "7", "tot": "num"}]}, {"payload": {}}
    )
    assert payloads(sent) == [{"a": 7}]
    rules = [
        {"action": "set", "property": "payload.b", "valueType": "boolean", "value": "true"},
        {"action": "delete", "property": "payload.a"},
    ]
    (sent,) = await bench.through("function", {"rules": rules}, {"payload": {"a": 1}})
    assert payloads(sent) == [{"b": True}]


async def test_template(bench: Bench) -> None:
    template = "{{payload.a}} {{{payload.a}}} {{#payload.list}}<{{n}}{{topic}}>{{/payload.list}}{{^payload.no}}none{{/payload.no}}{{! c }}{{env.WHERE}}"
    message = {"payload": {"a": "<&>", "list": [{"n": 1}, {"n": 2}]}, "topic": "t"}
    (sent,) = await bench.through("template", {"template": template}, message)
    assert payloads(sent) == ["&lt;&amp;&gt; <&> <1t><2t>none"]
    (sent,) = await bench.through("template", {"template": '{"a": {{payload}}}', "output": "json"}, 1.5)
    assert payloads(sent) == [{"a": 1.5}]
    (sent,) = await bench.through("template", {"template": "{{x}}", "syntax": "plain", "field": "text.in"}, 1)
    assert sent[0]["text"] == {"in": "{{x}}"}
    with pytest.raises(FlowRefused, match="does not close the section"):
        await bench.through("template", {"template": "{{#a}}"}, 1)


@pytest.mark.parametrize(
    ("config", "given", "expected"),
    [
        (
            {"minin": "0", "maxin": "10", "minout": "0", "maxout": "100", "round": True},
            [5, "2.26", 20],
            [50, 23, 200],
        ),
        ({"minIn": 0, "maxIn": 10, "minOut": 100, "maxOut": 0, "action": "clamp"}, [-5, 5, 15], [100, 50, 0]),
        ({"minin": 0, "maxin": 10, "minout": 0, "maxout": 10, "action": "roll"}, [12, -1], [2, 9]),
        ({"minin": 0, "maxin": 10, "minout": 0, "maxout": 1, "action": "drop"}, [12, 5], [0.5]),
    ],
)
async def test_range(bench: Bench, config: dict[str, Any], given: list[Any], expected: list[Any]) -> None:
    (sent,) = await bench.through("range", config, *given)
    assert payloads(sent) == expected


async def test_rbe(bench: Bench) -> None:
    (sent,) = await bench.through("rbe", {"func": "rbe"}, 1, 1, 2, {"payload": 2, "topic": "b"}, [1], [1])
    assert payloads(sent) == [1, 2, 2, [1]]
    (sent,) = await bench.through("rbe", {"mode": "deadband", "bandgap": 5}, 10, 12, 16, 11, 10)
    assert payloads(sent) == [10, 16, 10]
    (sent,) = await bench.through("rbe", {"func": "narrowband", "gap": "10%"}, 100, 105, 200, 104)
    assert payloads(sent) == [100, 105, 104]


async def test_split_and_join_are_each_others_reverse(bench: Bench) -> None:
    for value in (
        ["a", {"b": 1}, [2]],
        {"x": 1, "y": [2]},
        "one\ntwo\nthree",
        b"\x01\x02\x03\x04",
        list(range(5000)),
    ):
        config = {"spltType": "len", "splt": "1"} if isinstance(value, bytes) else {}
        await bench.run(
            [
                {"id": "s", "type": "split", "config": config}, {"id": "t", "type": "tap"},
                {"id": "j", "type": "join", "config": {}}, {"id": "e", "type": "tap"},
            ],
            [("s", "t"), ("s", "j"), ("j", "e")],
        )  # fmt: skip
        bench.send("s", value)
        await bench.quiet()
        assert bench.payloads("e") == [value]
        assert "parts" not in bench.seen("e")[0]
        assert len(bench.seen("t")) == len(value if not isinstance(value, str) else value.split("\n"))
        await bench.engine.remove("f")


async def test_split_counts_and_names_its_parts(bench: Bench) -> None:
    (sent,) = await bench.through("split", {"addname": "key"}, {"payload": {"a": 1, "b": 2}})
    parts: list[Any] = [message["parts"] for message in sent]
    assert [(part["type"], part["index"], part["count"], part["key"]) for part in parts] == [
        ("object", 0, 2, "a"),
        ("object", 1, 2, "b"),
    ]
    assert [message["key"] for message in sent] == ["a", "b"]
    (sent,) = await bench.through("split", {"arraySplt": "2"}, [[1, 2, 3]][0])
    assert payloads(sent) == [[1, 2], [3]]


async def test_join_by_hand(bench: Bench) -> None:
    config = {"mode": "custom", "build": "object", "key": "topic", "count": "2"}
    (sent,) = await bench.through(
        "join",
        config,
        {"payload": 1, "topic": "a"},
        {"payload": 2, "topic": "b"},
        {"payload": 3, "topic": "c"},
    )
    assert payloads(sent) == [{"a": 1, "b": 2}]
    config = {"mode": "manual", "build": "string", "joiner": "-", "count": 3}
    (sent,) = await bench.through("join", config, "a", 1, True, "rest")
    assert payloads(sent) == ["a-1-true"]
    (sent,) = await bench.through(
        "join",
        {"mode": "custom", "build": "merged", "count": "2"},
        {"payload": {"a": 1}},
        {"payload": {"b": 2}},
    )
    assert payloads(sent) == [{"a": 1, "b": 2}]
    (sent,) = await bench.through(
        "join", {"mode": "custom", "build": "array"}, 1, {"payload": 2, "complete": True}
    )
    assert payloads(sent) == [[1, 2]]
    await bench.through("join", {"mode": "custom", "build": "array", "timeout": 0.05}, 7)
    await bench.until(lambda: bench.payloads("t0") == [[7]])


async def test_delay_holds_releases_and_limits(bench: Bench) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    (sent,) = await bench.through("delay", {"duration": "80ms"}, 1, 2)
    assert payloads(sent) == [1, 2] and loop.time() - began >= 0.08
    await bench.engine.remove("f")
    config = {"pauseType": "rate", "rate": "50", "nbRateUnits": "1", "rateUnits": "second", "drop": False}
    began = loop.time()
    (sent,) = await bench.through("delay", config, *range(6))
    assert payloads(sent) == list(range(6)) and 0.09 <= loop.time() - began < 1
    await bench.engine.remove("f")
    config |= {"rate": "1", "drop": True}
    (sent,) = await bench.through("delay", config, *range(6))
    assert payloads(sent) == [0]
    await bench.engine.remove("f")
    (sent,) = await bench.through("delay", {"duration": "30s"}, 1, {"payload": "", "flush": True})
    assert payloads(sent) == [1]
    with pytest.raises(FlowRefused, match="longer than its limit"):
        await bench.run([{"id": "n", "type": "delay", "config": {"duration": "2m"}}], [])


async def test_trigger(bench: Bench) -> None:
    config = {"op1": "on", "op2": "off", "op1type": "str", "op2type": "str", "duration": "40", "units": "ms"}
    await bench.through("trigger", config, "x", "y")
    await bench.until(lambda: len(bench.seen("t0")) == 2)
    assert bench.payloads("t0") == ["on", "off"]
    await bench.engine.remove("f")
    await bench.through(
        "trigger", {**config, "op1type": "nul", "extend": True}, "x", {"payload": "", "reset": True}
    )
    await asyncio.sleep(0.1)
    assert bench.payloads("t0") == []
    await bench.engine.remove("f")
    await bench.through(
        "trigger", {"op": "send-then-send", "initialPayload": 1, "secondPayload": 2, "delay": "20ms"}, "x"
    )
    await bench.until(lambda: bench.payloads("t0") == [1, 2])


async def test_inject_fires_as_each_spelling_says(bench: Bench) -> None:
    nodes = [
        {
            "id": "field",
            "type": "inject",
            "config": {
                "intervalType": "milliseconds",
                "intervalValue": 30,
                "payload": {"a": 1},
                "topic": "t",
            },
        },
        {"id": "tf", "type": "tap"},
    ]
    await bench.run(nodes, [("field", "tf")])
    await bench.until(lambda: len(bench.seen("tf")) >= 3)
    assert bench.seen("tf")[0]["payload"] == {"a": 1} and bench.seen("tf")[0]["topic"] == "t"
    await bench.engine.remove("f")
    config = {
        "nodeRed": True, "once": True, "onceDelay": 0, "repeat": "",
        "props": [{"p": "payload"}, {"p": "topic", "vt": "str"}, {"p": "x.y", "v": "5", "vt": "num"}],
        "payload": "7", "payloadType": "num", "topic": "top",
    }  # fmt: skip
    await bench.run(
        [{"id": "nr", "type": "inject", "config": config}, {"id": "tn", "type": "tap"}], [("nr", "tn")]
    )
    await bench.until(lambda: bench.seen("tn"))
    message = bench.seen("tn")[0]
    assert (message["payload"], message["topic"], message["x"]) == (7, "top", {"y": 5})


async def test_schedule_fires_on_the_second_and_refuses_nonsense(bench: Bench) -> None:
    config = {"cron": "* * * * * *", "payload": "tick", "timezone": "Europe/Berlin"}
    await bench.run(
        [{"id": "s", "type": "schedule", "config": config}, {"id": "t", "type": "tap"}], [("s", "t")]
    )
    await bench.until(lambda: len(bench.seen("t")) >= 2, 4)
    for wrong, said in (
        ({"cron": "61 * * * * *"}, "not a schedule"),
        ({"cron": "* * * * *", "timezone": "Mars/X"}, "no time zone"),
    ):
        await bench.engine.stop("f")
        with pytest.raises(FlowRefused, match=said):
            await bench.run([{"id": "s", "type": "schedule", "config": wrong}], [])


async def test_exec(bench: Bench) -> None:
    (sent,) = await bench.through("exec", {"command": "echo out; echo err >&2; exit 3"}, 1)
    assert payloads(sent) == [{"stdout": "out\n", "stderr": "err\n", "code": 3, "error": "exit status 3"}]
    sent = await bench.through(
        "exec", {"command": "echo", "addpay": "payload", "oldrc": "false"}, "a b; c", outputs=3
    )
    assert [payloads(each) for each in sent] == [["a b; c\n"], [], [{"code": 0}]]
    (sent,) = await bench.through("exec", {"command": "sleep 20", "timeout": 0.2}, 1)
    assert sent[0]["payload"]["error"] == "took longer than 0.2 s"  # type: ignore[index]


async def test_parsers_both_ways(bench: Bench) -> None:
    for kind, text, value in (
        ("json-parser", '{"a":[1,"x"]}', {"a": [1, "x"]}),
        ("yaml-parser", "a:\n  - 1\n  - x\n", {"a": [1, "x"]}),
    ):
        (sent,) = await bench.through(kind, {}, text, value)
        assert payloads(sent) == [value, text]
    (sent,) = await bench.through("xml-parser", {}, '<r k="v"><a>1</a><a>2</a><b/></r>')
    assert payloads(sent) == [{"r": {"$": {"k": "v"}, "a": ["1", "2"], "b": [""]}}]
    (sent,) = await bench.through("xml-parser", {}, {"payload": {"r": {"$": {"k": "v"}, "a": ["1", "2"]}}})
    assert '<r k="v">' in str(sent[0]["payload"]) and "<a>2</a>" in str(sent[0]["payload"])
    (sent,) = await bench.through("csv-parser", {"hdrin": True, "multi": "mult"}, 'a,b\n1,"x,y"\n2,007\n')
    assert payloads(sent) == [[{"a": 1, "b": "x,y"}, {"a": 2, "b": "007"}]]
    (sent,) = await bench.through(
        "csv-parser", {"temp": "a,b", "hdrout": "all"}, {"payload": {"b": 2, "a": "x,y"}}
    )
    assert payloads(sent) == ['a,b\n"x,y",2\n']


async def test_a_hostile_xml_does_not_grow(bench: Bench) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    subscription = bench.engine.subscribe("log")
    (sent,) = await bench.through("xml-parser", {}, bomb)
    assert sent == []
    assert "not XML" in (await anext(subscription)).message  # type: ignore[union-attr]
