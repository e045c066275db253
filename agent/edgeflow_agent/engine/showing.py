"""Values as the debug stream carries them: JSON, bounded."""

from __future__ import annotations

from typing import cast

import msgspec

MAX_BYTES = 8 * 1024
_ITEMS = 100
_DEPTH = 10
_TEXT = 2_000


def show(value: object) -> tuple[object, str]:
    """The value as JSON carries it, at most about 8 KiB; and how: empty, `buffer`, or `cut` when something was left
    out. Bytes become `{"type": "Buffer", "data": "hex", "length": n}`; what is not data becomes its class name.
    """
    if isinstance(value, bytes):
        return _plain(value, 0), "buffer"
    shown = _plain(value, 0)
    data = msgspec.json.encode(shown)
    if len(data) > MAX_BYTES:
        return data[:MAX_BYTES].decode(errors="ignore"), "cut"
    return shown, ""


def _plain(value: object, depth: int) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value if len(value) <= _TEXT else f"{value[:_TEXT]}… ({len(value)} characters)"
    if isinstance(value, bytes):
        return {"type": "Buffer", "data": value[:1000].hex(), "length": len(value)}
    if depth >= _DEPTH:
        return "…"
    if isinstance(value, dict):
        items = list(cast("dict[object, object]", value).items())
        shown = {str(key): _plain(item, depth + 1) for key, item in items[:_ITEMS]}
        if len(items) > _ITEMS:
            shown["…"] = f"{len(items) - _ITEMS} more"
        return shown
    if isinstance(value, (list, tuple)):
        entries = list(cast("list[object]", value))
        listed = [_plain(item, depth + 1) for item in entries[:_ITEMS]]
        if len(entries) > _ITEMS:
            listed.append(f"… {len(entries) - _ITEMS} more")
        return listed
    return f"({type(value).__name__})"
