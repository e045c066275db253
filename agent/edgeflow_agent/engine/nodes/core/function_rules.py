"""The field runtime's function node: a list of rules that set and delete properties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ...message import Message, clone_value
from ...node import Node, NodeConfig
from ...properties import MISSING, Evaluator, delete_typed, evaluator, set_typed


class FunctionRule(NodeConfig):
    """`action` set or delete; `property` a path; `value` of `valueType`."""

    action: Literal["set", "delete"] = "set"
    property: str = "payload"
    value_type: Literal["string", "number", "boolean", "json", "msg", "expression"] = "string"
    value: object = ""


def compile_rules(node: Node[NodeConfig], rules: tuple[FunctionRule, ...]) -> Callable[[Message], None]:
    """One function that applies all rules in their order. Raises NodeError."""
    steps: list[Callable[[Message], object]] = []
    for rule in rules:
        path = rule.property.removeprefix("msg.")
        if rule.action == "delete":
            steps.append(delete_typed(node, "field", path))
            continue
        steps.append(_setter(evaluator(node, rule.value_type, rule.value), set_typed(node, "field", path)))

    def apply(message: Message) -> None:
        for step in steps:
            step(message)

    return apply


def _setter(value: Evaluator, put: Callable[[Message, object], bool]) -> Callable[[Message], object]:
    def step(message: Message) -> None:
        found = value(message)
        if found is not MISSING:
            put(message, clone_value(found))

    return step
