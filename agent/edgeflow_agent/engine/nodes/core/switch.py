"""switch, if and filter: which way a message goes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from ...javalike import kind_of, less, less_or_equal, loosely_equal, to_number, to_string, to_text
from ...message import Message, clone
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, Evaluator, FieldPath, evaluator

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


class SwitchConfig(NodeConfig):
    """One output port for each rule."""

    rules: Annotated[tuple[Rule, ...], Meta(title="Rules", min_length=1)]
    property: Annotated[str, Meta(title="Property")] = "payload"
    property_type: Annotated[
        str, Meta(title="Property of", description="empty: of the message, else of its payload")
    ] = ""
    checkall: Annotated[bool | str, Meta(title="Check all rules, not only up to the first that fits")] = True
    repair: Annotated[bool, Meta(title="Rebuild sequences")] = False


class Switch(Node[SwitchConfig]):
    """Sends a message to the port of each rule that its property fits."""

    type = "switch"
    Config = SwitchConfig

    def count_outputs(self) -> int:
        return len(self.config.rules)

    async def start(self) -> None:
        config = self.config
        self._value = evaluator(self, config.property_type or "field", config.property)
        self._all = str(config.checkall).lower() == "true"
        self._before: list[object] = [None]
        self._tests = [
            (output, compile_test(self, rule, self._before)) for output, rule in enumerate(config.rules)
        ]

    def forward(self, message: Message) -> int | None:
        value = self._value(message)
        self._before[0] = value
        fitting: list[int] = []
        for output, test in self._tests:
            if test is None:  # else: fits when nothing before it did.
                fits = not fitting
            else:
                fits = test(value, message)
            if fits:
                fitting.append(output)
                if not self._all:
                    break
        if len(fitting) == 1:
            return fitting[0]
        copies = [clone(message) for _ in fitting[1:]]
        for output, copy in zip(fitting, [message, *copies], strict=False):
            self.send(copy, output)
        return None


def compile_test(node: Node[NodeConfig], rule: Rule, before: list[object]) -> Test | None:
    """The test of a rule; None for `else`."""
    kind = rule.t
    if kind == "else":
        return None
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return lambda value, _: simple(None if value is MISSING else value)
    if kind in ("head", "tail", "index", "jsonata_exp"):
        raise NodeError(f"The rule {kind!r} is not known here. Use split, function or join for sequences.")
    if kind == "istype":
        wanted = str(rule.v)
        return lambda value, _: _is_type(value, wanted)
    first = _operand(node, rule.v, rule.vt, before)
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


def _operand(node: Node[NodeConfig], value: object, kind: str, before: list[object]) -> Evaluator:
    if kind == "prev":
        held: list[object] = [MISSING]

        def previous(_: Message) -> object:
            found, held[0] = held[0], before[0]
            return found

        return previous
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


class IfConfig(NodeConfig):
    """Port 0 when it holds, port 1 when not."""

    field: Annotated[str, Meta(title="Property")] = "payload"
    operator: Annotated[
        Literal["eq", "ne", "gt", "lt", "gte", "lte", "contains", "exists"], Meta(title="Operator")
    ] = "eq"
    value: Annotated[object, Meta(title="Value")] = None
    condition: Annotated[str, Meta(title="Condition", description="for example payload.value > 20")] = ""


_CONDITION = re.compile(r"^\s*([\w.$\[\]\"'-]+)\s*(==|!=|>=|<=|>|<|contains|exists)\s*(.*?)\s*$")
_SIGNS = {"==": "eq", "!=": "ne", ">": "gt", "<": "lt", ">=": "gte", "<=": "lte"}


class If(Node[IfConfig]):
    """Sends a message out of port 0 when the condition holds, out of port 1 when not."""

    type = "if"
    outputs = 2
    Config = IfConfig

    async def start(self) -> None:
        config = self.config
        field, operator, value = config.field, config.operator, config.value
        if config.condition:
            match = _CONDITION.match(config.condition)
            if match is None:
                raise NodeError(
                    f"The condition {config.condition!r} is not of the form: property operator value."
                )
            field = match[1]
            operator = _SIGNS.get(match[2], match[2])
            value = match[3].strip("\"'") if match[3][:1] in "\"'" else match[3]
        self._path = FieldPath(field)
        self._test = _comparison(self, operator, value)

    def forward(self, message: Message) -> int:
        return 0 if self._test(self._path.get(message), message) else 1


def _comparison(node: Node[NodeConfig], operator: str, value: object) -> Test:
    if operator == "exists":
        return lambda found, _: found is not MISSING and found is not None
    kind = {"ne": "neq", "contains": "cont"}.get(operator, operator)
    test = compile_test(node, Rule(t=cast("Literal['eq']", kind), v=value), [None])
    assert test is not None  # noqa: S101  only `else` has none
    return test


class FilterConfig(NodeConfig):
    """The field runtime's filter."""

    property: Annotated[str, Meta(title="Property")] = "payload"
    operator: Annotated[
        Literal[
            "equals", "not_equals", "gt", "lt", "gte", "lte", "contains", "not_contains", "regex",
            "is_true", "is_false", "is_null", "is_not_null", "between",
        ],
        Meta(title="Operator"),
    ] = "equals"  # fmt: skip
    value: Annotated[object, Meta(title="Value")] = None
    value2: Annotated[object, Meta(title="Second value")] = None
    value_type: Annotated[Literal["", "string", "number", "boolean", "json"], Meta(title="Type")] = ""


class Filter(Node[FilterConfig]):
    """Sends messages whose property fits out of port 0, others out of port 1."""

    type = "filter"
    outputs = 2
    Config = FilterConfig

    async def start(self) -> None:
        config = self.config
        self._path = FieldPath(config.property)
        name = config.operator
        self._invert = name in ("not_contains",)
        kind = {
            "equals": "eq", "not_equals": "neq", "contains": "cont", "not_contains": "cont", "is_true": "true",
            "is_false": "false", "is_null": "null", "is_not_null": "nnull", "between": "btwn",
        }.get(name, name)  # fmt: skip
        rule = Rule(
            t=cast("Literal['eq']", kind),
            v=config.value,
            vt=config.value_type,
            v2=config.value2,
            v2t=config.value_type,
        )
        test = compile_test(self, rule, [None])
        assert test is not None  # noqa: S101
        self._test = test

    def forward(self, message: Message) -> int:
        return 0 if self._test(self._path.get(message), message) != self._invert else 1
