"""change and set: properties set, moved, deleted, replaced."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from ...javalike import to_number, to_text
from ...message import ATOMS, Message, clone_value
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, Evaluator, FieldPath, Path, delete_typed, evaluator, set_typed

Step = Callable[[Message], None]


class ChangeRule(NodeConfig):
    """`t`: set `p` to `to`; change `from` into `to` inside `p`; delete `p`; move `p` to `to`. `pt tot fromt`: types."""

    p: str
    t: Literal["set", "change", "delete", "move"] = "set"
    pt: str = ""
    to: object = ""
    tot: str = ""
    from_: object = msgspec.field(default="", name="from")
    fromt: str = "str"
    dc: bool = True


class ChangeConfig(NodeConfig):
    """Rules, or one rule in Node-RED's old spelling."""

    rules: Annotated[tuple[ChangeRule, ...], Meta(title="Rules")] = ()
    action: Literal["", "replace", "change", "delete", "move"] = ""
    property: str = ""
    from_: object = msgspec.field(default="", name="from")
    to: object = ""
    reg: bool = False


class Change(Node[ChangeConfig]):
    """Sets, changes, deletes or moves properties of a message, the flow or all flows."""

    type = "change"
    Config = ChangeConfig

    async def start(self) -> None:
        rules = self.config.rules or _old(self.config)
        self._steps = [self._compile(rule) for rule in rules]

    def forward(self, message: Message) -> int:
        for step in self._steps:
            step(message)
        return 0

    def _compile(self, rule: ChangeRule) -> Step:
        if rule.t == "delete":
            return delete_typed(self, rule.pt or "field", rule.p)
        if rule.t == "move":
            return self._move(rule)
        if rule.t == "change":
            return self._replace(rule)
        return self._set(rule)

    def _set(self, rule: ChangeRule) -> Step:
        kind = rule.tot or ("str" if isinstance(rule.to, str) else "json")
        if kind == "msg" and not rule.pt:
            value = FieldPath(str(rule.to)).get
        else:
            value = evaluator(self, kind, rule.to)
        put = set_typed(self, rule.pt or "field", rule.p)
        copies = kind == "msg"

        def step(message: Message) -> None:
            found = value(message)
            if found is MISSING:
                return
            put(message, clone_value(found) if copies and type(found) not in ATOMS else found)

        return step

    def _move(self, rule: ChangeRule) -> Step:
        get = evaluator(self, rule.pt or "field", rule.p)
        put = set_typed(self, rule.tot or rule.pt or "field", str(rule.to))
        drop = delete_typed(self, rule.pt or "field", rule.p)

        def step(message: Message) -> None:
            value = get(message)
            drop(message)
            if value is not MISSING:
                put(message, value)

        return step

    def _replace(self, rule: ChangeRule) -> Step:
        get = evaluator(self, rule.pt or "field", rule.p)
        put = set_typed(self, rule.pt or "field", rule.p)
        to = evaluator(self, rule.tot or "str", rule.to)
        if rule.fromt == "re":
            try:
                pattern = re.compile(str(rule.from_))
            except re.error as error:
                raise NodeError(f"{rule.from_!r} is not a regular expression: {error}.") from None
            wanted: Evaluator = lambda _: pattern  # noqa: E731
        else:
            wanted = evaluator(self, rule.fromt, rule.from_)

        def step(message: Message) -> None:
            value, search, other = get(message), wanted(message), to(message)
            if value is MISSING or search is MISSING or other is MISSING:
                return
            changed = _replaced(value, search, other)
            if changed is not MISSING:
                put(message, changed)

        return step


def _replaced(value: object, search: object, to: object) -> object:
    """Node-RED's rules: texts have every occurrence replaced (the whole text becomes `to` with its type when it equals
    what is searched); numbers and booleans are replaced when equal."""
    if isinstance(value, str):
        if isinstance(search, re.Pattern):
            pattern = cast("re.Pattern[str]", search)
            text = re.sub(r"\$(\d)", r"\\\1", to_text(to).replace("\\", "\\\\"))
            return pattern.sub(text.replace("$&", r"\g<0>"), value)
        sought = to_text(search)
        if value == sought and not isinstance(to, str):
            return to
        return value.replace(sought, to_text(to)) if sought else MISSING
    if isinstance(search, re.Pattern):
        pattern = cast("re.Pattern[str]", search)
        return to if isinstance(value, (int, float)) and pattern.search(to_text(value)) else MISSING
    if isinstance(value, bool):
        return to if str(value).lower() == to_text(search).lower() else MISSING
    if isinstance(value, (int, float)):
        return to if value == to_number(search) else MISSING
    return MISSING


def _old(config: ChangeConfig) -> tuple[ChangeRule, ...]:
    if not config.action:
        raise NodeError("It has no rules. Add one.")
    kind = cast("Literal['set']", {"replace": "set"}.get(config.action, config.action))
    rule = ChangeRule(
        p=config.property or "payload",
        t=kind,
        to=config.to,
        tot="msg" if isinstance(config.to, str) and config.to.startswith("msg.") else "",
        from_=config.from_,
        fromt="re" if config.reg else "str",
    )
    return (rule,)


class SetRule(NodeConfig):
    """`p` becomes `to`, of type `tot`; `t` is always set."""

    p: str
    t: str = "set"
    to: object = ""
    tot: str = ""


class SetConfig(NodeConfig):
    """The field runtime's set."""

    rules: Annotated[tuple[SetRule, ...], Meta(title="Rules", min_length=1)]


class Set(Node[SetConfig]):
    """Sets properties of a message."""

    type = "set"
    Config = SetConfig

    async def start(self) -> None:
        self._steps: list[tuple[Path, Evaluator]] = []
        for rule in self.config.rules:
            kind = rule.tot or ("str" if isinstance(rule.to, str) else "json")
            self._steps.append((FieldPath(rule.p), evaluator(self, kind, rule.to)))

    def forward(self, message: Message) -> int:
        for path, value in self._steps:
            found = value(message)
            if found is not MISSING:
                path.set(message, clone_value(found))
        return 0
