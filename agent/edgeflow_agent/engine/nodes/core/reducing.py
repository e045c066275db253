"""join's mode `reduce`: a sequence becomes one value by an expression, applied to each of its messages in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ...expressions import Expression
from ...message import Message
from ...node import NodeError
from ...properties import MISSING, evaluator
from .sequences import Gathering, read_parts

if TYPE_CHECKING:
    from .join import Join


class Reducer:
    """The work of one join node in this mode."""

    def __init__(self, node: Join) -> None:
        """Raises NodeError for a config that says nothing, or no expression."""
        config = node.config
        if not config.reduce_exp:
            raise NodeError(
                "The mode 'reduce' needs an expression: reduceExp, for example $A + payload, where $A is what was "
                "reached so far."
            )
        self._each = Expression(node, config.reduce_exp)
        self._last = Expression(node, config.reduce_fixup) if config.reduce_fixup else None
        begin = None if config.reduce_init == "" else config.reduce_init
        self._first = evaluator(node, config.reduce_init_type or "json", begin)
        self._backwards = config.reduce_right
        self._gathering = Gathering(node)

    def take(self, message: Message) -> Message | None:
        """What to send now: a message without `parts` as it is, the last of a sequence with what came of all."""
        parts = read_parts(message)
        if parts is None:
            return message
        group = self._gathering.add(message, parts)
        if group is None:
            return None
        group.sort(key=_index, reverse=self._backwards)
        value, count = self._first({}), len(group)
        for each in group:
            value = self._each.evaluate(each, I=_index(each), N=count, A=None if value is MISSING else value)
        if self._last is not None:
            value = self._last.evaluate({}, N=count, A=None if value is MISSING else value)
        made = group[-1]
        if value is MISSING:
            made.pop("payload", None)
        else:
            made["payload"] = value
        return made

    def clear(self) -> None:
        """Forget what has come of unfinished sequences."""
        self._gathering.clear()


def _index(message: Message) -> int:
    return cast(int, cast("Message", message["parts"])["index"])
