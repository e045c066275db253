"""switch, if and filter: which way a message goes."""

from __future__ import annotations

import re
from typing import Annotated, Literal, cast

from msgspec import Meta

from ...message import Message, clone
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, FieldPath, evaluator
from .rules import Rule, Test, compile_test
from .sequences import Gathering, read_parts, rebuild


class SwitchConfig(NodeConfig):
    """One output port for each rule."""

    rules: Annotated[tuple[Rule, ...], Meta(title="Rules", min_length=1)]
    property: Annotated[str, Meta(title="Property")] = "payload"
    property_type: Annotated[
        str, Meta(title="Property of", description="empty: of the message, else of its payload")
    ] = ""
    checkall: Annotated[bool | str, Meta(title="Check all rules, not only up to the first that fits")] = True
    repair: Annotated[
        bool, Meta(title="Rebuild sequences", description="what leaves by a port is a sequence of its own")
    ] = False


class Switch(Node[SwitchConfig]):
    """Sends a message to the port of each rule that its property fits."""

    type = "switch"
    Config = SwitchConfig
    _gathering: Gathering | None = None

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
        if config.repair or any(rule.t == "tail" for rule in config.rules):
            self._gathering = Gathering(self)

    async def stop(self) -> None:
        if self._gathering is not None:
            self._gathering.clear()

    def forward(self, message: Message) -> int | None:
        if self._gathering is not None and (parts := read_parts(message)) is not None:
            if (group := self._gathering.add(message, parts)) is not None:
                self._send_all(group)
            return None
        fitting = self._fit(message)
        if len(fitting) == 1:
            return fitting[0]
        copies = [clone(message) for _ in fitting[1:]]
        for output, copy in zip(fitting, [message, *copies], strict=False):
            self.send(copy, output)
        return None

    def _fit(self, message: Message) -> list[int]:
        """The ports of the rules that fit."""
        value = self._value(message)
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
        self._before[0] = value
        return fitting

    def _send_all(self, group: list[Message]) -> None:
        """A whole sequence: only now is it known how many there are."""
        for each in group:
            cast("Message", each["parts"])["count"] = len(group)
        fitted = [(each, self._fit(each)) for each in group]
        if self.config.repair:
            for each, output in rebuild(fitted):
                self.send(each, output)
            return
        for each, ports in fitted:
            for place, output in enumerate(ports):
                self.send(each if place == len(ports) - 1 else clone(each), output)


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
