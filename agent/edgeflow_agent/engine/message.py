"""Messages: plain dicts with `payload`, `topic` and `_msgid`; any other key is the flow's own.

Values are JSON's, `bytes` (JavaScript sees a Buffer), and handles: anything else, for example an open HTTP answer.
A clone shares bytes and handles and copies the rest.
"""

from __future__ import annotations

from random import getrandbits
from typing import TypeAlias, cast

Message: TypeAlias = dict[str, object]

ATOMS = frozenset({str, int, float, bool, type(None), bytes})


def new_id() -> str:
    """A message id as Node-RED writes them: 16 hexadecimal digits."""
    return f"{getrandbits(64):016x}"


def new_message(payload: object = None, topic: str | None = None, **more: object) -> Message:
    """A message with a fresh `_msgid`; `topic` only if one is given."""
    message: Message = {"_msgid": new_id(), "payload": payload}
    if topic is not None:
        message["topic"] = topic
    message.update(more)
    return message


def clone(message: Message) -> Message:
    """A copy that shares no dict or list with `message`, with the same `_msgid`."""
    return {key: value if type(value) in ATOMS else clone_value(value) for key, value in message.items()}


def clone_value(value: object) -> object:
    """A copy of one value; what is neither dict nor list is shared."""
    kind = type(value)
    if kind is dict:
        return {
            key: item if type(item) in ATOMS else clone_value(item)
            for key, item in cast("dict[str, object]", value).items()
        }
    if kind is list:
        return [item if type(item) in ATOMS else clone_value(item) for item in cast("list[object]", value)]
    return value
