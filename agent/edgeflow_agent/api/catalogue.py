"""`node-types` in the published shape, with ours beside: `title group schema`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from ..engine import read_properties

Entry = Mapping[str, object]

_CATEGORIES = {
    "input": ("Input", "Where messages come from.", "log-in", "#3b82f6"),
    "output": ("Output", "Where messages go to.", "log-out", "#10b981"),
    "processing": ("Processing", "What is made of many messages, or of one.", "cpu", "#f59e0b"),
    "function": ("Function", "What a message is made into, and which way it goes.", "git-branch", "#8b5cf6"),
}
"""Category -> name, description, icon, colour, in the palette's order."""


def describe_categories(types: list[dict[str, object]]) -> list[dict[str, object]]:
    """The categories that have types."""
    counts: dict[str, int] = {}
    for each in types:
        counts[str(each["category"])] = counts.get(str(each["category"]), 0) + 1
    order = [*_CATEGORIES, *(sorted(counts.keys() - _CATEGORIES.keys()))]
    shown: list[dict[str, object]] = []
    for name in order:
        if name in counts:
            title, description, icon, color = _CATEGORIES.get(name, (name.capitalize(), "", "box", "#6b7280"))
            shown.append(
                {
                    "id": name,
                    "name": title,
                    "description": description,
                    "icon": icon,
                    "color": color,
                    "order": len(shown),
                    "count": counts[name],
                }
            )
    return shown


def describe_entry(entry: Entry) -> dict[str, object]:
    """One type."""
    _, _, icon, color = _CATEGORIES.get(str(entry["category"]), ("", "", "box", "#6b7280"))
    inputs, outputs = cast(int, entry["inputs"]), cast(int, entry["outputs"])
    properties = read_properties(cast("Entry", entry["schema"]))
    return {
        **entry,
        "name": entry["title"],
        "icon": icon,
        "color": color,
        "properties": [msgspec.to_builtins(each) for each in properties if not each.hidden],
        "inputs": [_port("input", number, inputs) for number in range(inputs)],
        "outputs": [_port("output", number, outputs) for number in range(outputs)],
    }


def _port(kind: str, number: int, of: int) -> dict[str, object]:
    name = kind if of == 1 else f"{kind}{number + 1}"
    return {"name": name, "label": name.capitalize(), "type": "any", "description": ""}
