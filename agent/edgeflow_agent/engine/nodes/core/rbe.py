"""rbe: report by exception, only what changed."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from msgspec import Meta

from ...javalike import parse_float, to_number, to_text
from ...message import Message, clone_value
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, FieldPath, Path


class RbeConfig(NodeConfig):
    """Field runtime: `mode`, `bandgap`, `startValue`; Node-RED: `func`, `gap`, `start`, `inout`, `septopics`."""

    property: Annotated[str, Meta(title="Property")] = "payload"
    mode: Annotated[Literal["value", "deadband", "narrowband"], Meta(title="Mode")] = "value"
    bandgap: Annotated[float, Meta(title="Band", ge=0)] = 0
    start_value: Annotated[object, Meta(title="First value to compare with")] = None
    invert: Annotated[bool, Meta(title="Let pass what did not change")] = False
    func: Literal["", "rbe", "rbei", "deadband", "deadbandEq", "narrowband", "narrowbandEq"] = ""
    gap: str | float = ""
    start: object = ""
    inout: Literal["in", "out"] = "out"
    septopics: Annotated[bool, Meta(title="Each topic by itself")] = True
    topi: str = "topic"


class Rbe(Node[RbeConfig]):
    """Lets a message pass when its value changed, or changed by more than a band."""

    type = "rbe"
    category = "processing"
    Config = RbeConfig

    async def start(self) -> None:
        config = self.config
        self._path = Path(config.property) if config.func else FieldPath(config.property)
        self._topic = Path(config.topi)
        func = config.func or {"value": "rbe"}.get(config.mode, config.mode)
        self._equal = func.endswith("Eq")
        self._func = func.removesuffix("Eq")
        gap = str(config.gap or config.bandgap or 0)
        self._percent = gap.endswith("%")
        try:
            self._gap = abs(float(gap.rstrip("%")))
        except ValueError:
            raise NodeError(f"The band {gap!r} is not a number or a percentage.") from None
        start = config.start if config.start not in ("", None) else config.start_value
        self._first: object = MISSING if start in ("", None) else start
        self._known: dict[str, object] = {}

    def forward(self, message: Message) -> int | None:
        if "reset" in message:
            topic = message.get("topic")
            if self.config.septopics and isinstance(topic, str) and topic:
                self._known.pop(topic, None)
            else:
                self._known.clear()
        value = self._path.get(message)
        if value is MISSING:
            return None
        key = "_no_topic"
        if self.config.septopics:
            topic = self._topic.get(message)
            key = "_no_topic" if topic is MISSING or topic == "" else to_text(topic)
        return 0 if self._passes(key, value) != self.config.invert else None

    def _passes(self, key: str, value: object) -> bool:
        if self._func in ("rbe", "rbei"):
            known = self._known.get(key, MISSING if self._first is MISSING else self._first)
            tells = self._func == "rbe" or key in self._known
            if isinstance(value, (dict, list)) and not isinstance(known, (dict, list)):
                known = {}
            if known is not MISSING and known == value and isinstance(known, bool) == isinstance(value, bool):
                return False
            self._known[key] = clone_value(cast("object", value))
            return tells
        number = parse_float(value)
        if number != number:
            raise NodeError(f"{value!r} is not a number.")
        known = self._known.get(key, MISSING)
        if known is MISSING:
            known = to_number(self._first) if self._first is not MISSING else MISSING
        if known is MISSING:
            self._known[key] = number
            return True
        base = to_number(known)
        gap = abs(base * self._gap / 100) if self._percent else self._gap
        apart = abs(base - number)
        if self._func == "deadband":
            passes = apart > gap or (self._equal and apart == gap)
            if passes or self.config.inout == "in":
                self._known[key] = number
            return passes
        passes = apart < gap or (not self._equal and apart == gap)
        if passes or self.config.inout == "in":
            self._known[key] = number
        return passes
