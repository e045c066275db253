"""Events as the wire has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

import msgspec

from ..engine import Execution

_LONGEST = 2000
_MOST_NODES = 200


def device_event(
    level: str, code: str, message: str, *, flow_id: str = "", data: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Something happened on the device, now by its clock."""
    event: dict[str, object] = {
        "kind": "device",
        "time": datetime.now(UTC),
        "code": code,
        "level": level,
        "message": message[:_LONGEST],
        "data": dict(data or {}),
    }
    if flow_id:
        event["flow_id"] = flow_id
    return event


def describe_execution(execution: Execution) -> dict[str, object]:
    """An execution, its texts bounded: one event has to fit into a frame beside others."""
    shown = cast("dict[str, object]", msgspec.to_builtins(execution, builtin_types=(datetime,)))
    nodes = cast("list[dict[str, object]]", shown.get("nodes", []))[:_MOST_NODES]
    for each in (shown, *nodes):
        each.pop("input", None)  # messages stay on the device
        each.pop("output", None)
        error = each.get("error")
        if isinstance(error, str):
            each["error"] = error[:_LONGEST]
    return {"kind": "execution", **shown, "nodes": nodes}
