"""The flow of S10 in Node-RED's JSON, which both sides read: change, switch, range (or a function), template, debug."""

from __future__ import annotations

FIRST = "change"
WINDOW = 200
"""Messages under way at once."""


def flow(javascript: bool) -> list[dict[str, object]]:
    """Five nodes; `javascript`: the third is a function with JavaScript in it."""
    scale: dict[str, object] = {
        "type": "range", "minin": "0", "maxin": "100", "minout": "0", "maxout": "1", "action": "scale", "round": False,
        "property": "payload.value",
    }  # fmt: skip
    if javascript:
        scale = {
            "type": "function", "outputs": 1, "timeout": 0, "noerr": 0, "initialize": "", "finalize": "", "libs": [],
            "func": "msg.payload.value = msg.payload.value / 100;\nreturn msg;",
        }  # fmt: skip
    nodes: list[dict[str, object]] = [
        {"id": "tab", "type": "tab", "label": "S10", "disabled": False, "info": "", "env": []},
        {
            "id": "change", "type": "change", "wires": [["switch"]],
            "rules": [
                {"t": "set", "p": "unit", "pt": "msg", "to": "bar", "tot": "str"},
                {"t": "set", "p": "at", "pt": "msg", "to": "payload.time", "tot": "msg"},
                {"t": "delete", "p": "payload.time", "pt": "msg"},
            ],
        },
        {
            "id": "switch", "type": "switch", "property": "payload.value", "propertyType": "msg", "checkall": "true",
            "repair": False, "outputs": 3, "wires": [["scale"], ["scale"], ["scale"]],
            "rules": [
                {"t": "lt", "v": "20", "vt": "num"},
                {"t": "btwn", "v": "20", "vt": "num", "v2": "80", "v2t": "num"},
                {"t": "else"},
            ],
        },
        {"id": "scale", "wires": [["template"]], **scale},
        {
            "id": "template", "type": "template", "field": "payload", "fieldType": "msg", "format": "handlebars",
            "syntax": "mustache", "output": "json", "wires": [["debug", "sink"]],
            "template": '{"line": "{{topic}}", "value": {{payload.value}}, "unit": "{{unit}}", "at": {{at}}}',
        },
        {
            "id": "debug", "type": "debug", "active": True, "tosidebar": True, "console": False, "tostatus": False,
            "complete": "payload", "targetType": "msg", "wires": [],
        },
        {"id": "sink", "type": "s10-sink", "wires": []},
    ]  # fmt: skip
    return [
        {**node, "z": "tab", "x": 0, "y": 0, "name": ""} if node["type"] != "tab" else node for node in nodes
    ]


def message(number: int) -> dict[str, object]:
    """What goes in."""
    return {"topic": f"line{number % 7}", "payload": {"value": number % 100, "time": 1_700_000_000 + number}}
