"""The rules of switch, if and filter: what a value is compared with, and how."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Literal, cast

import msgspec

from ...javalike import kind_of, less, less_or_equal, loosely_equal, to_number, to_string, to_text
from ...message import Message
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, Evaluator, evaluator
from .sequences import read_parts

Test = Callable[[object, Message], bool]


class Rule(NodeConfig):
    """One rule: `t` the test, `v` and `v2` what it compares with, `vt` and `v2t` their types, `case` ignores case."""

    t: Literal[
        "eq", "neq", "lt", "lte", "gt", "gte", "btwn", "cont", "regex", "true", "false", "null", "nnull",
        "empty", "nempty", "istype", "hask", "else", "head", "tail", "index", "jsonata_exp",
    ]  # fmt: skip
    v: object = ""
    vt: str = ""
    v2: object = ""
    v2t: str = ""
    case: bool = False


def compile_test(node: Node[NodeConfig], rule: Rule, before: list[object]) -> Test | None:
    """The test of a rule; None for `else`."""
    kind = rule.t
    if kind == "else":
        return None
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return lambda value, _: simple(None if value is MISSING else value)
    if kind == "jsonata_exp":
        return _expression(node, rule.v)
    if kind == "istype":
        wanted = str(rule.v)
        return lambda value, _: _is_type(value, wanted)
    first = _operand(node, rule.v, rule.vt, before)
    if kind in ("head", "tail", "index"):
        return _place(kind, first, _operand(node, rule.v2, rule.v2t, before))
    if kind == "regex":
        return _regex(first, rule.case)
    if kind == "btwn":
        second = _operand(node, rule.v2, rule.v2t, before)
        return lambda value, message: _between(value, first(message), second(message))
    if kind in ("lt", "lte", "gt", "gte"):
        return _order(kind, first)
    if kind == "cont":
        return lambda value, message: to_text(first(message)) in _text(value)
    if kind == "hask":
        return lambda value, message: isinstance(value, dict) and to_text(first(message)) in value
    if kind == "eq":
        return lambda value, message: _equal(value, first(message))
    return lambda value, message: not _equal(value, first(message))


def _expression(node: Node[NodeConfig], text: object) -> Test:
    """Whether the expression is exactly true; `$I` and `$N` are the message's place in its sequence and its length."""
    from ...expressions import Expression

    compiled = Expression(node, text)

    def test(_: object, message: Message) -> bool:
        parts = read_parts(message) or {}
        return compiled.evaluate(message, I=parts.get("index"), N=parts.get("count")) is True

    return test


def _place(kind: str, first: Evaluator, second: Evaluator) -> Test:
    """Among the first, the last, or from place to place of its sequence; a message that has no place never is."""

    def test(_: object, message: Message) -> bool:
        parts = read_parts(message)
        if parts is None:
            return False
        index, number = to_number(parts["index"]), to_number(first(message))
        if kind == "head":
            return index < number
        if kind == "tail":
            return to_number(parts.get("count", math.nan)) - number <= index
        return number <= index <= to_number(second(message))

    return test


def _operand(node: Node[NodeConfig], value: object, kind: str, before: list[object]) -> Evaluator:
    if kind == "prev":
        return lambda _: before[0]
    if not kind:  # The field runtime has no types: a number written as text is one.
        if isinstance(value, str):
            number = to_number(value)
            kind, value = ("num", number) if value.strip() and number == number else ("str", value)
        else:
            kind = "json"
    return evaluator(node, kind, value)


def _equal(value: object, other: object) -> bool:
    return loosely_equal(None if value is MISSING else value, None if other is MISSING else other)


def _text(value: object) -> str:
    return "undefined" if value is MISSING else to_string(value)


def _order(kind: str, operand: Evaluator) -> Test:
    if kind == "lt":
        return lambda value, message: value is not MISSING and less(value, operand(message))
    if kind == "lte":
        return lambda value, message: value is not MISSING and less_or_equal(value, operand(message))
    if kind == "gt":
        return lambda value, message: value is not MISSING and less(operand(message), value)
    return lambda value, message: value is not MISSING and less_or_equal(operand(message), value)


def _between(value: object, low: object, high: object) -> bool:
    if value is MISSING:
        return False
    return (less_or_equal(low, value) and less_or_equal(value, high)) or (
        less_or_equal(high, value) and less_or_equal(value, low)
    )


def _regex(operand: Evaluator, ignore_case: bool) -> Test:
    cache: dict[str, re.Pattern[str]] = {}

    def test(value: object, message: Message) -> bool:
        pattern = to_text(operand(message))
        compiled = cache.get(pattern)
        if compiled is None:
            cache.clear()
            try:
                compiled = cache[pattern] = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
            except re.error as error:
                raise NodeError(f"{pattern!r} is not a regular expression: {error}.") from None
        return compiled.search(_text(value)) is not None

    return test


def _is_type(value: object, wanted: str) -> bool:
    if value is MISSING:
        return wanted == "undefined"
    if wanted == "json":
        try:
            msgspec.json.decode(_text(value))
        except msgspec.DecodeError:
            return False
        return True
    if wanted == "object":
        return isinstance(value, dict)
    return kind_of(value) == wanted


def _is_empty(value: object) -> bool:
    return isinstance(value, (str, list, dict, bytes)) and len(cast("str", value)) == 0


_SIMPLE: dict[str, Callable[[object], bool]] = {
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "null": lambda value: value is None,
    "nnull": lambda value: value is not None,
    "empty": _is_empty,
    "nempty": lambda value: isinstance(value, (str, list, dict, bytes)) and len(cast("str", value)) > 0,
}
