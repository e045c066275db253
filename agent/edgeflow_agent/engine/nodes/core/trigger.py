"""trigger: one message now, another later."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from ...duration import UNITS, read_duration
from ...javalike import loosely_equal, to_number, to_text
from ...message import Message, clone, clone_value
from ...node import Node, NodeConfig
from ...properties import MISSING, Evaluator, Path, evaluator


class TriggerConfig(NodeConfig):
    """Field runtime: `op`, `initialPayload`, `secondPayload`, `delay`; Node-RED: `op1 op1type op2 op2type duration
    units …`."""

    op: Annotated[Literal["", "send", "send-then-send", "send-then-nothing"], Meta(title="Kind")] = ""
    initial_payload: Annotated[object, Meta(title="First")] = UNSET
    second_payload: Annotated[object, Meta(title="Then")] = UNSET
    delay: Annotated[str | float, Meta(title="After", extra_json_schema={"format": "duration"})] = "250ms"
    op1: object = "1"
    op2: object = "0"
    op1type: str = "str"
    op2type: str = "str"
    duration: str | float = "250"
    units: str = "ms"
    extend: Annotated[bool | str, Meta(title="A new message extends the time")] = False
    override_delay: bool = False
    reset: Annotated[object, Meta(title="Reset when the payload is")] = ""
    reset_on_new_msg: bool = False
    bytopic: Literal["all", "topic"] = "all"
    topic: str = "topic"
    outputs: int = 1


class _Waiting:
    """One topic's state: `timer` until the second message, which is `message`."""

    __slots__ = ("message", "repeat", "timer", "value")

    def __init__(self) -> None:
        self.timer: asyncio.TimerHandle | None = None
        self.message: Message | None = None
        self.value: object = None
        self.repeat = False


class Trigger(Node[TriggerConfig]):
    """Sends a message when triggered, and another after a time."""

    type = "trigger"
    Config = TriggerConfig

    def count_outputs(self) -> int:
        return max(1, self.config.outputs)

    async def start(self) -> None:
        config = self.config
        self._topics: dict[str, _Waiting] = {}
        self._topic = Path(config.topic or "topic")
        first, second = (config.op1type, config.op1), (config.op2type, config.op2)
        if config.op or config.initial_payload is not UNSET:
            first = ("", None if config.initial_payload is UNSET else config.initial_payload)
            if config.initial_payload is UNSET:
                first = ("pay", "")
            second = ("nul", "") if config.op != "send-then-send" else ("", config.second_payload)
            self._seconds = read_duration(config.delay) if config.op != "send" else 0.0
            if config.op == "send":
                second = ("nul", "")
        else:
            number = to_number(config.duration)
            self._seconds = (
                number * UNITS[{"s": "s", "min": "min", "hr": "hr"}.get(config.units, config.units)]
            )
        self._again = self._seconds < 0
        self._seconds = abs(self._seconds)
        self._first, self._first_kind = self._value(*first), first[0]
        self._second, self._second_kind = self._value(*second), second[0]
        self._extends = config.extend in (True, "true") or config.reset_on_new_msg

    async def stop(self) -> None:
        for waiting in self._topics.values():
            if waiting.timer is not None:
                waiting.timer.cancel()
        self._topics.clear()

    def receive(self, message: Message) -> None:
        config = self.config
        key = "_none"
        if config.bytopic == "topic":
            topic = self._topic.get(message)
            key = "_none" if topic is MISSING or topic == "" else to_text(topic)
        payload = message.get("payload")
        if "reset" in message or (config.reset not in ("", None) and loosely_equal(payload, config.reset)):
            self._forget(key)
            self.status()
            return
        waiting = self._topics.get(key)
        if waiting is None:
            self._begin(key, message)
        elif self._extends or waiting.timer is None:
            if self._extends and waiting.timer is not None:
                self._set_timer(key, waiting, message)
            if self._second_kind == "payl":
                waiting.message = clone(message)
        elif self._second_kind == "payl":
            waiting.message = clone(message)

    def _begin(self, key: str, message: Message) -> None:
        waiting = self._topics[key] = _Waiting()
        waiting.message = clone(message)
        if self._second_kind != "payl":
            waiting.value = clone_value(self._second(message))
        if self._first_kind != "nul":
            self.send(self._filled(message, self._first(message), self._first_kind))
        if self._seconds > 0:
            self._set_timer(key, waiting, message)
            self.status(" ", "blue")
        elif self.config.op == "send":
            del self._topics[key]
        # Else as Node-RED: no time means to wait until reset.

    def _set_timer(self, key: str, waiting: _Waiting, message: Message) -> None:
        if waiting.timer is not None:
            waiting.timer.cancel()
        seconds = self._seconds
        if self.config.override_delay and "delay" in message:
            number = to_number(message["delay"])
            seconds = number / 1000 if number == number and number >= 0 else seconds
        waiting.timer = asyncio.get_running_loop().call_later(seconds, self._fire, key)

    def _fire(self, key: str) -> None:
        waiting = self._topics.get(key)
        if waiting is None or waiting.message is None:
            return
        if self._again:  # A negative time: the first message again and again until reset.
            again = clone(waiting.message)
            self.send(self._filled(again, self._first(again), self._first_kind))
            self._set_timer(key, waiting, waiting.message)
            return
        del self._topics[key]
        if self._second_kind != "nul":
            message = waiting.message
            output = 1 if self.count_outputs() > 1 else 0
            if self._second_kind == "payl":
                self.send(message, output)
            else:
                self.send(self._filled(message, waiting.value, self._second_kind), output)
        self.status()

    def _forget(self, key: str) -> None:
        waiting = self._topics.pop(key, None)
        if waiting is not None and waiting.timer is not None:
            waiting.timer.cancel()

    def _filled(self, message: Message, value: object, kind: str) -> Message:
        if kind not in ("pay", "payl"):
            message["payload"] = None if value is MISSING else value
        return message

    def _value(self, kind: str, value: object | UnsetType) -> Evaluator:
        if kind in ("pay", "payl", "nul"):
            return lambda message: message.get("payload")
        if value is UNSET:
            value = None
        return evaluator(self, kind, value)
