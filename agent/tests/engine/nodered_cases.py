# ruff: noqa: E501  tables of flows and code read better unbroken
"""Flows in Node-RED's JSON, with messages, that both engines are given."""

from __future__ import annotations

from typing import Any

Case = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def one(kind: str, messages: list[Any], ports: int = 1, /, **config: Any) -> Case:
    """A node between the entry and a debug node for each output."""
    nodes = [{"id": "n", "type": kind, "wires": [[f"d{n}"] for n in range(ports)], **config}]
    nodes += [
        {"id": f"d{n}", "type": "debug", "active": True, "tosidebar": False, "complete": "true"}
        for n in range(ports)
    ]
    return nodes, [
        m if isinstance(m, dict) and ("payload" in m or "topic" in m) else {"payload": m} for m in messages
    ]


def function(code: str, messages: list[Any], outputs: int = 1, **config: Any) -> Case:
    return one(
        "function",
        messages,
        outputs,
        **{
            "func": code,
            "outputs": outputs,
            "noerr": 0,
            "initialize": "",
            "finalize": "",
            "libs": [],
            **config,
        },
    )


def rules(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return list(entries)


def switch(entries: list[dict[str, Any]], messages: list[Any], **config: Any) -> Case:
    return one(
        "switch", messages, len(entries),
        **{"property": "payload", "propertyType": "msg", "rules": entries, "checkall": "true", "repair": False, "outputs": len(entries), **config},
    )  # fmt: skip


def change(entries: list[dict[str, Any]], messages: list[Any]) -> Case:
    return one("change", messages, rules=entries)


VALUES: list[Any] = [
    0,
    1,
    -1,
    1.5,
    10,
    "",
    "0",
    "10",
    "abc",
    "ABC",
    True,
    False,
    None,
    [],
    [1, 2],
    {},
    {"a": 1},
]
PEOPLE = {"people": [{"name": "Ada", "age": 36}, {"name": "Alan <b>", "age": 41}], "empty": [], "n": 0}

CASES: dict[str, Case] = {
    **{
        f"switch {rule['t']} {rule.get('v', '')}": switch([rule, {"t": "else"}], VALUES)
        for rule in rules(
            {"t": "eq", "v": "10", "vt": "num"}, {"t": "eq", "v": "10", "vt": "str"}, {"t": "neq", "v": "abc", "vt": "str"},
            {"t": "lt", "v": "5", "vt": "num"}, {"t": "lte", "v": "1", "vt": "num"}, {"t": "gt", "v": "1", "vt": "num"},
            {"t": "gte", "v": "abc", "vt": "str"}, {"t": "btwn", "v": "1", "vt": "num", "v2": "10", "v2t": "num"},
            {"t": "cont", "v": "b", "vt": "str"}, {"t": "regex", "v": "^a.c$", "vt": "str", "case": True},
            {"t": "true"}, {"t": "false"}, {"t": "null"}, {"t": "nnull"}, {"t": "empty"}, {"t": "nempty"},
            {"t": "istype", "v": "string", "vt": "string"}, {"t": "istype", "v": "number", "vt": "number"},
            {"t": "istype", "v": "object", "vt": "object"}, {"t": "istype", "v": "array", "vt": "array"},
            {"t": "istype", "v": "boolean", "vt": "boolean"}, {"t": "istype", "v": "json", "vt": "json"},
            {"t": "hask", "v": "a", "vt": "str"},
        )
    },
    "switch all": switch(rules({"t": "gt", "v": "1", "vt": "num"}, {"t": "gt", "v": "2", "vt": "num"}), [1, 2, 3]),
    "switch first": switch(rules({"t": "gt", "v": "1", "vt": "num"}, {"t": "gt", "v": "2", "vt": "num"}), [1, 2, 3], checkall="false"),
    "switch previous": switch(rules({"t": "neq", "v": "", "vt": "prev"}), [1, 1, 2, 2, 1]),
    **{
        f"switch sequence {name} {repair}": switch(
            entries, [{"payload": n, "parts": {"id": "s", "index": n, "count": 5}} for n in (0, 1, 2, 3, 4)], repair=repair,
            checkall=every,
        )
        for name, every, entries in (
            ("head tail index", "true", rules({"t": "head", "v": "2", "vt": "num"}, {"t": "tail", "v": "1", "vt": "num"},
                                              {"t": "index", "v": "1", "vt": "num", "v2": "3", "v2t": "num"})),
            ("odd", "false", rules({"t": "jsonata_exp", "v": "payload % 2 = 1 and $N = 5", "vt": "jsonata"}, {"t": "else"})),
        )
        for repair in (True, False)
    },
    "switch repair without parts": switch(rules({"t": "gt", "v": "1", "vt": "num"}, {"t": "else"}), [1, 2], repair=True),
    "switch jsonata": switch(
        rules({"t": "eq", "v": "$sum(list)", "vt": "jsonata"}, {"t": "btwn", "v": "topic", "vt": "jsonata", "v2": "topic + 2", "v2t": "jsonata"}),
        [{"payload": {"a": 3}, "list": [1, 2], "topic": 2}, {"payload": {"a": 6}, "list": [1, 2], "topic": 5}],
        property="payload.a * 1", propertyType="jsonata",
    ),
    "switch previous of some": switch(rules({"t": "eq", "v": "1", "vt": "num"}, {"t": "gt", "v": "", "vt": "prev"}), [1, 2, 1, 3, 2], checkall="false"),
    "change jsonata": change(
        rules(
            {"t": "set", "p": "a", "pt": "msg", "to": "$map(payload.people, function($p) { $uppercase($p.name) })", "tot": "jsonata"},
            {"t": "set", "p": "b", "pt": "msg", "to": "payload.people[age > 40].name", "tot": "jsonata"},
            {"t": "set", "p": "c", "pt": "msg", "to": "{ 'mean': $average(payload.people.age), 'none': payload.nothing, 'null': null }", "tot": "jsonata"},
            {"t": "set", "p": "d", "pt": "msg", "to": "msg.payload.n + 1", "tot": "jsonata"},
            {"t": "set", "p": "kept", "pt": "flow", "to": "payload.n", "tot": "msg"},
            {"t": "set", "p": "e", "pt": "msg", "to": "$flowContext('kept') & '/' & topic", "tot": "jsonata"},
            {"t": "set", "p": "f", "pt": "msg", "to": "[1..3]", "tot": "jsonata"},
        ),
        [{"payload": {"people": [{"name": "Ada", "age": 36}, {"name": "Alan", "age": 41}], "n": 4}, "topic": "x"}],
    ),
    "change jsonata regex": change(rules({"t": "set", "p": "payload", "pt": "msg", "to": "$replace(payload, /[0-9]+/, '#')", "tot": "jsonata"}), ["a1b22"]),
    **{
        f"join reduce {right}": one(
            "join", [{"payload": n, "topic": "t", "parts": {"id": "s", "index": n, "count": 4}} for n in (2, 0, 3, 1)] + ["alone"],
            mode="reduce", reduceExp="$A & '-' & payload & '/' & $I", reduceInit="begin", reduceInitType="str", reduceFixup="$A & ' of ' & $N",
            reduceRight=right, joiner="\\n", joinerType="str", timeout="", count="",
        )
        for right in (False, True)
    },
    "join reduce sum": one(
        "join", [{"payload": n, "parts": {"id": "s", "index": n, "count": 3}} for n in range(3)], mode="reduce", reduceExp="$A + payload",
        reduceInit="0", reduceInitType="num", reduceFixup="", reduceRight=False, joiner="\\n", joinerType="str", timeout="", count="",
    ),
    "change set": change(
        rules(
            {"t": "set", "p": "payload.a.b", "pt": "msg", "to": "5", "tot": "num"},
            {"t": "set", "p": "list[2]", "pt": "msg", "to": "x", "tot": "str"},
            {"t": "set", "p": "j", "pt": "msg", "to": '{"k":[1]}', "tot": "json"},
            {"t": "set", "p": "yes", "pt": "msg", "to": "true", "tot": "bool"},
            {"t": "set", "p": "copy", "pt": "msg", "to": "payload", "tot": "msg"},
        ),
        [{"payload": {"a": {"c": 1}}}, {"payload": {}}],
    ),
    "change flow and global": change(
        rules(
            {"t": "set", "p": "kept.x", "pt": "flow", "to": "payload", "tot": "msg"},
            {"t": "set", "p": "again", "pt": "msg", "to": "kept", "tot": "flow"},
            {"t": "delete", "p": "kept", "pt": "flow"},
            {"t": "set", "p": "gone", "pt": "msg", "to": "kept", "tot": "flow"},
        ),
        [1, "two"],
    ),
    "change change": change(
        rules({"t": "change", "p": "payload", "pt": "msg", "from": "a", "fromt": "str", "to": "b", "tot": "str"}),
        ["banana", "a", "x", 1, True, {"payload": {"a": "a"}}],
    ),
    "change regex": change(
        rules({"t": "change", "p": "payload", "pt": "msg", "from": "(\\d+)-(\\d+)", "fromt": "re", "to": "$2-$1", "tot": "str"}),
        ["1-2 3-4", "none"],
    ),
    "change to number": change(
        rules({"t": "change", "p": "payload", "pt": "msg", "from": "on", "fromt": "str", "to": "1", "tot": "num"}), ["on", "only", "off"]
    ),
    "change move": change(
        rules({"t": "move", "p": "payload.a", "pt": "msg", "to": "topic", "tot": "msg"}, {"t": "delete", "p": "payload.b", "pt": "msg"}),
        [{"payload": {"a": 1, "b": 2, "c": 3}}, {"payload": {"c": 3}}],
    ),
    "template": one(
        "template", [PEOPLE, {"payload": {"people": [], "n": 1}, "topic": "t/<x>"}, "text"], field="payload", fieldType="msg",
        format="handlebars", syntax="mustache", output="str",
        template="{{topic}}|{{{topic}}}|{{&topic}}\n{{#payload.people}}\n- {{name}} ({{age}}) {{topic}}\n{{/payload.people}}\n"
        "{{^payload.people}}nobody{{/payload.people}}{{#payload.n}}n{{/payload.n}}{{! comment }}{{payload.n}}{{missing.x}}",
    ),
    "template plain": one(
        "template", ["x"], field="text", fieldType="msg", format="handlebars", syntax="plain", output="str", template="{{payload}}"
    ),
    "template json": one(
        "template", [1, 2.5], field="payload", fieldType="msg", format="json", syntax="mustache", output="json", template='{"v": {{payload}}}'
    ),
    **{
        f"range {action} {rounds}": one(
            "range", [0, 5, 10, -3, 15, "7", "2.26", 3.333], minin="0", maxin="10", minout="0", maxout="255", action=action, round=rounds, property="payload"
        )
        for action in ("scale", "clamp", "roll", "drop")
        for rounds in (True, False)
    },
    **{
        f"rbe {func} {inout}": one(
            "rbe", [1, 1, 2, {"payload": 2, "topic": "b"}, 2, 9, 10, 4, 4, "5", {"payload": 0, "reset": True}, 4], name="", func=func, gap="3",
            start="", inout=inout, septopics=True, property="payload", topi="topic",
        )
        for func in ("rbe", "rbei", "deadband", "deadbandEq", "narrowband", "narrowbandEq")
        for inout in ("out", "in")
    },
    "rbe objects": one("rbe", [{"payload": {"a": 1}}, {"payload": {"a": 1}}, {"payload": {"a": 2}}, [1], [1]], func="rbe", gap="", start="",
                       inout="out", septopics=True, property="payload", topi="topic"),
    **{
        f"split {name}": one("split", messages, splt=splt, spltType=kind, arraySplt=size, arraySpltType="len", stream=False, addname="key", property="payload")
        for name, splt, kind, size, messages in (
            ("lines", "\\n", "str", 1, ["a\nb\nc", "one", [1, {"x": 2}], {"payload": {"a": 1, "b": [2]}}]),
            ("length", "2", "len", 2, ["abcde", [1, 2, 3]]),
            ("comma", ",", "str", 1, ["a,b,,c"]),
        )
    },
    "join object": one("join", [{"payload": 1, "topic": "a"}, {"payload": 2, "topic": "b"}, {"payload": 3, "topic": "a"}, {"payload": 4, "topic": "c"}],
                       mode="custom", build="object", property="payload", propertyType="msg", key="topic", joiner="\\n", joinerType="str",
                       accumulate=False, timeout="", count="2"),
    "join string": one("join", ["a", 1, True, {"payload": "last", "complete": True}], mode="custom", build="string", property="payload",
                       propertyType="msg", key="topic", joiner="+", joinerType="str", accumulate=False, timeout="", count="3"),
    "join merged": one("join", [{"payload": {"a": 1}, "topic": "x"}, {"payload": {"b": 2}, "topic": "y"}, {"payload": {"c": 2}, "complete": True}],
                       mode="custom", build="merged", property="payload", propertyType="msg", key="topic", joiner="\\n", joinerType="str",
                       accumulate=True, timeout="", count="2"),
    "function outputs": function(
        "if (msg.payload === 0) return null; if (msg.payload === 1) return msg; return [msg, [{payload: 'a'}, {payload: 'b'}]];", [0, 1, 2], 2
    ),
    "function context": function(
        "var n = (context.get('n') || 0) + 1; context.set('n', n); flow.set('x.y', n * 2); msg.payload = [n, flow.get('x'), flow.get('x.y'), context.keys()]; return msg;",
        [1, 2, 3],
    ),
    "function send": function("node.send({payload: 1}); node.send([[{payload: 2}, {payload: 3}]]); return {payload: 4, topic: msg.topic};", [{"payload": 0, "topic": "t"}]),
    "function buffers": function(
        "msg.payload = Buffer.from(msg.payload); msg.hex = msg.payload.toString('hex'); msg.b64 = msg.payload.toString('base64'); msg.n = msg.payload.readUInt16BE(0); return msg;",
        ["abc", "é€😀"],
    ),
    "function language": function(
        "const {payload: p, ...rest} = msg; msg.payload = [p?.a ?? 'none', [..."
        "new Set([1, 1, 2])], `t${1 + 1}`, p && Object.entries(p), 0.1 + 0.2, [3, 1, 2].sort(), 'x'.padStart(3, '-'), /(?<y>\\d{4})/.exec('in 2024').groups.y, "
        "JSON.stringify({u: undefined, d: 1e21, z: -0}), parseInt('12px'), [1, [2, [3]]].flat(Infinity)]; return msg;",
        [{"payload": {"a": 1}}, {"payload": None}],
    ),
    "json": one("json", ['{"a":[1,"x"]}', {"payload": {"b": [1, 2.5, None, "é"]}}, "[1]"], property="payload", action="", pretty=False),
    "csv in": one("csv", ['a,b\n1,"x,y"\n2,zz\n'], sep=",", hdrin=True, hdrout="none", multi="one", ret="\\n", temp="", skip="0", strings=True,
                  include_empty_strings="", include_null_values="", spec="rfc"),
    "csv list": one("csv", ["1;2\n3;x\n"], sep=";", hdrin="", hdrout="none", multi="mult", ret="\\n", temp="p,q", skip="0", strings=True,
                    include_empty_strings="", include_null_values="", spec="rfc"),
    "csv out": one("csv", [{"payload": {"a": 1, "b": "x,y"}}, {"payload": [{"a": 1, "b": 'q"q'}, {"a": 2, "b": None}]}], sep=",", hdrin="", hdrout="none",
                   multi="one", ret="\\n", temp="a,b", skip="0", strings=True, include_empty_strings="", include_null_values="", spec="rfc"),
    "xml in": one("xml", ['<r k="v"><a>1</a><a>2</a><b/><c d="e">t</c></r>', "<x>just text</x>"], property="payload", attr="", chr=""),
    "yaml": one("yaml", ["a:\n  - 1\n  - x\nb: true\n", {"payload": {"a": [1, "x"], "b": None}}], property="payload"),
}  # fmt: skip
