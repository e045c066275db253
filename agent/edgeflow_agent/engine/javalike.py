"""JavaScript's idea of numbers, texts and comparisons, for the nodes whose semantics are Node-RED's."""

from __future__ import annotations

import json
import math
import re
from typing import Any, cast

_FLOAT = re.compile(r"\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)")


def to_number(value: Any) -> float | int:  # Any: on the hot path, where a cast costs as much as the work.
    """`Number(value)`: nan for what is none."""
    kind: object = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind is int or kind is float:
        return value
    if kind is bool:
        return int(value)
    if value is None:
        return 0
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return 0
        try:
            if text[:2].lower() in ("0x", "0o", "0b"):
                return int(text, 0)
            if "_" in text or text.lower().lstrip("+-") in ("inf", "nan", "infinity"):
                return {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}.get(
                    text, math.nan
                )
            number = float(text)
        except ValueError:
            return math.nan
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind is list:
        return to_number(to_string(value))
    return math.nan


def parse_float(value: object) -> float | int:
    """`parseFloat(value)`: the number that the text begins with, nan if it begins with none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    found = _FLOAT.match(to_string(value))
    return to_number(found[0]) if found else math.nan


def to_string(value: object) -> str:
    """`String(value)`, exactly: a list as its entries with commas, an object as `[object Object]`."""
    if isinstance(value, list):
        return ",".join("" if item is None else to_string(item) for item in cast("list[object]", value))
    return "[object Object]" if isinstance(value, dict) else to_text(value)


def to_text(value: Any) -> str:
    """`String(value)`, but objects as JSON instead of `[object Object]`, and bytes as UTF-8."""
    kind: object = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind is str:
        return value
    if kind is int:
        return str(value)
    if kind is float and 1e-6 < abs(value) < 1e15 and value % 1:
        return repr(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return repr(value).replace("e+", "e+").replace("e-0", "e-")
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return str(value)


def truthy(value: object) -> bool:
    """`Boolean(value)`: empty lists and objects are true."""
    if value is None or value is False or value == "":
        return False
    if isinstance(value, (int, float)):
        return not (value == 0 or value != value)
    return True


def loosely_equal(left: object, right: object) -> bool:
    """`left == right`."""
    if type(left) is type(right):
        return left == right if not isinstance(left, (dict, list)) else left is right
    if left is None or right is None:
        return False
    if isinstance(left, (bool, int, float, str)) and isinstance(right, (bool, int, float, str)):
        return to_number(left) == to_number(right)
    if isinstance(left, (list, bytes)) or isinstance(right, (list, bytes)):
        return to_string(cast("object", left)) == to_string(cast("object", right))
    return False


def less(left: object, right: object) -> bool:
    """`left < right`: texts by their letters, anything else as numbers."""
    if type(left) is str and type(right) is str:
        return left < right
    return to_number(left) < to_number(right)


def less_or_equal(left: object, right: object) -> bool:
    """`left <= right`."""
    if type(left) is str and type(right) is str:
        return left <= right
    return to_number(left) <= to_number(right)


def kind_of(value: object) -> str:
    """Node-RED's word for a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, bytes):
        return "buffer"
    return "array" if isinstance(value, list) else "object"
