"""Pages of docs/reference that are read off the code, and the layer table of ARCHITECTURE.md."""

import ast
import json
import re
import tomllib
from enum import Enum
from typing import cast

from edgeflow_agent.engine import Property
from tools.root import ROOT

PACKAGE = ROOT / "cloud" / "edgeflow_cloud"
MADE = "<!-- Made by `make gen`; change the code that it is read from. -->\n\n"
BEGIN, END = "<!-- layers:begin (made by `make gen` from pyproject.toml) -->", "<!-- layers:end -->"
GROUPS = ("core", "network", "hardware", "industrial", "messaging", "database")
FRAME_FILES = ("connect", "refusals", "heartbeat", "commands", "telemetry", "events", "logs", "shadow")


def settings() -> str:
    """One row a setting: variable, default, meaning."""
    from edgeflow_cloud.infra.settings import PREFIX, Settings

    rows = [
        f"| `{PREFIX}{name.upper()}` | {_shown(field.default)} | {_cell(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    return (
        f"{MADE}# Settings of the cloud\n\n"
        "Each is an environment variable, or a key of `edgeflow.toml` in lower case without the prefix\n"
        "(`port = 8000`). The variable wins. `edgeflow-cloud config` prints all and where each is from.\n\n"
        "| variable | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def close_codes() -> str:
    """One row a close code of the tunnel."""
    from edgeflow_protocol.closing import CloseCode

    rows = [
        f"| {code.value} | `{code.name.lower()}` | {code.meaning} | {'no' if code.is_final else 'yes'} |"
        for code in CloseCode
    ]
    return (
        f"{MADE}# Close codes of the tunnel\n\n"
        "How a tunnel ends. The last column says whether reconnecting with the same credentials can help\n"
        "before a person acts.\n\n"
        "| code | name | meaning | reconnect |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def frames() -> str:
    """Every golden frame, as device and cloud are tested with it."""
    parts = [
        f"{MADE}# Frames on the wire\n\n"
        "Every tunnel message is one JSON text frame holding one object. These are the golden samples in\n"
        "`protocol/vectors` that cloud and agent are tested with; unknown fields are ignored."
    ]
    for name in FRAME_FILES:
        document = json.loads((ROOT / "protocol" / "vectors" / f"{name}.json").read_text(encoding="utf-8"))
        parts.append(f"## {name.capitalize()}\n\n{document['about']}")
        for case in document["cases"]:
            if "frame" not in case or not case["text"].isprintable():
                continue
            way = "device to cloud" if case["from"] == "device" else "cloud to device"
            parts.append(f"**{case['name']}**, {way}:\n\n```json\n{_lines(case['text'])}\n```")
    return "\n\n".join(parts) + "\n"


def layers() -> str:
    """The layers of `pyproject.toml` as a table, low to high, each folder with its own first sentence."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    order = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    rows: list[str] = []
    for line in reversed(order):
        names = [name for name in re.findall(r"\w+", line) if (PACKAGE / name / "__init__.py").exists()]
        if names:
            rows.append(
                f"| {' , '.join(f'`{name}`' for name in names).replace(' ,', ',')} | "
                f"{'; '.join(_cell(sentence) for sentence in map(_owns, names) if sentence)} |"
            )
    return "\n".join([BEGIN, "| folder, low to high | what it is |", "|---|---|", *rows, END])


def architecture() -> str:
    """ARCHITECTURE.md with its layer table made anew."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: layers(), text, flags=re.DOTALL)


def _owns(name: str) -> str:
    path = PACKAGE / name / "__init__.py"
    if not path.exists():
        return ""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = docstring.split("\n\n")[0].replace("\n", " ")
    return re.split(r"(?<=[.!])\s", first)[0].rstrip(".")


def _shown(value: object) -> str:
    if value is None or value == "" or value == ():
        return "unset"
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _lines(text: str) -> str:
    """A frame of one line; a long one is indented, so that it can be read."""
    return text if len(text) <= 110 else json.dumps(json.loads(text), indent=1, ensure_ascii=False)


def node_types() -> str:
    """One section a node type, by group: what it does, its ports, its config keys."""
    from edgeflow_agent.engine import Registry, describe_type, read_properties
    from edgeflow_agent.engine.nodes import BUILTIN

    registry = Registry(BUILTIN)
    described = [describe_type(name, registry.get(name)) for name in registry.names()]
    parts = [
        f"{MADE}# Node types\n\n"
        "Every type that the agent brings, read off its class. A flow is refused by name when it uses another\n"
        "one, unless a package on the device adds it ([how](../explanation/flow-engine.md#write-a-node-type)).\n"
        "Numbers and booleans may be written as text; `${NAME}` in a text is the flow's variable. Keys without\n"
        "a meaning are other spellings, most of them Node-RED's; they are read all the same.\n\n"
        + _contents(described)
    ]
    for group in GROUPS:
        parts.append(f"## {group.capitalize()}")
        for entry in described:
            if entry["group"] != group:
                continue
            rows = [
                f"| `{path}{each.name}` | {_cell(_kind(each))} | {_default(each)} | {_cell(_meaning(each))} |"
                for path, schema in _schemas(cast("dict[str, object]", entry["schema"]))
                for each in read_properties(schema)
            ]
            table = "\n\n| key | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows)
            ports = f"{_count(cast(int, entry['inputs']), 'input')}, {_outputs(entry)}"
            parts.append(
                f"### {entry['type']}\n\n{entry['description']}\n\nCategory {entry['category']}, {ports}."
                + (table if rows else "")
            )
    return "\n\n".join(parts) + "\n"


def _schemas(schema: dict[str, object]) -> list[tuple[str, dict[str, object]]]:
    """The config itself, and what its keys hold: `rules[].` before the keys of a rule."""
    found = [("", schema)]
    properties = cast("dict[str, dict[str, object]]", schema.get("properties", {}))
    for name, inner in cast("dict[str, dict[str, object]]", schema.get("$defs", {})).items():
        for key, entry in properties.items():
            if f'"#/$defs/{name}"' in json.dumps(entry):
                found.append((f"{key}{'[]' if entry.get('type') == 'array' else ''}.", inner))
    return found


def _contents(described: list[dict[str, object]]) -> str:
    lines: list[str] = []
    for group in GROUPS:
        names = [str(each["type"]) for each in described if each["group"] == group]
        lines.append(f"- {group}: " + " ".join(f"[{name}](#{name})" for name in names))
    return "\n".join(lines)


def _kind(each: Property) -> str:
    if each.options:
        return ", ".join(f"`{option}`" if option != "" else "empty" for option in each.options)
    return each.type


def _default(each: Property) -> str:
    if each.required:
        return "required"
    return "" if each.default in (None, "", [], {}) else f"`{json.dumps(each.default, ensure_ascii=False)}`"


def _meaning(each: Property) -> str:
    bounds = [f"from {each.min:g}"] if each.min is not None else []
    bounds += [f"to {each.max:g}"] if each.max is not None else []
    said = [each.label, each.description, " ".join(bounds)]
    if each.placeholder:
        said.append(f"for example `{each.placeholder}`")
    return "; ".join(part for part in said if part)


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _outputs(entry: dict[str, object]) -> str:
    own = {"switch": "an output for each rule", "function": "as many outputs as `outputs` says"}
    own |= {"python": own["function"], "trigger": "one output, or as many as `outputs` says"}
    return own.get(str(entry["type"])) or _count(cast(int, entry["outputs"]), "output")
