"""Every published config key is known to its type, and every key of every type is read by somebody."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from pathlib import Path

import msgspec
import pytest

from agent.tests.nodes.published_keys import OTHERS, PUBLISHED
from edgeflow_agent.engine import Registry

REGISTRY = Registry()
IDLE = {
    ("comment", "text"): "for people",
    ("comment", "color"): "for people",
    ("function", "noerr"): "how many faults Node-RED's editor found in the code",
    ("split", "array_splt_type"): "Node-RED's only value; what it would choose is chosen by the others",
    (
        "csv-parser",
        "spec",
    ): "Node-RED's choice between an old and a right reading; here it is always the right one",
    ("dht", "sensor_type"): "the kernel's driver tells the two apart by what they answer",
}
"""Keys that nobody reads, with the reason."""


@pytest.mark.parametrize("kind", [*PUBLISHED, *OTHERS.split()])
def test_a_published_type_has_its_keys(kind: str) -> None:
    fields = msgspec.structs.fields(REGISTRY.get(kind).Config)
    assert set(PUBLISHED.get(kind, "").split()) <= {field.encode_name for field in fields}


@cache
def read_attributes(folder: Path) -> set[str]:
    """The attributes, and the names given to getattr, in a folder's modules."""
    found: set[str] = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
                found |= {str(each.value) for each in node.args[1:2] if isinstance(each, ast.Constant)}
    return found


@pytest.mark.parametrize("kind", REGISTRY.names())
def test_a_key_is_read(kind: str) -> None:
    node = REGISTRY.get(kind)
    folder = Path(inspect.getfile(node)).parent
    read = read_attributes(folder) | read_attributes(folder.parent.parent)  # observing.py asks for some
    unread = {field.name for field in msgspec.structs.fields(node.Config)} - read
    assert {name for name in unread if (kind, name) not in IDLE} == set()
