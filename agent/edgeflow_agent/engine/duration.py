"""Times as flows write them."""

from __future__ import annotations

import re

from .node import NodeError

UNITS = {
    "us": 0.000_001,
    "ms": 0.001, "milliseconds": 0.001, "millisecond": 0.001,
    "s": 1.0, "second": 1.0, "seconds": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "months": 2_592_000.0,
}  # fmt: skip
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d)")


def read_duration(value: object, unit: str = "ms") -> float:
    """Seconds from `"1m30s"`, `"250ms"`, or a number (also as text) of `unit`. Raises NodeError."""
    if isinstance(value, str):
        text = value.strip().lower()
        pieces = _PIECE.findall(text)
        if pieces and "".join(number + name for number, name in pieces) == text:
            return sum(float(number) * UNITS[name] for number, name in pieces)
        try:
            value = float(text)
        except ValueError:
            raise NodeError(f"{value!r} is not a time. Write for example 250ms, 10s, 1m30s.") from None
    if not isinstance(value, (int, float)) or value < 0 or value != value:
        raise NodeError(f"{value!r} is not a time. Write for example 250ms, 10s, 1m30s.")
    return float(value) * UNITS[unit]
