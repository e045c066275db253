"""Queries and their values, as all database types read them."""

from __future__ import annotations

from typing import cast

from ...message import Message
from ...node import NodeError
from ...properties import MISSING, Path

ROWS = 10_000
"""Most rows of one answer."""


def read_query(written: str, message: Message) -> str:
    """The node's query, else the message's `query` or `topic`. Raises NodeError."""
    found = written or message.get("query") or message.get("topic")
    if not isinstance(found, str) or not found.strip():
        raise NodeError("There is no query. Give the node one, or the message a `query`.")
    return found


def read_values(written: object, message: Message) -> list[object] | dict[str, object]:
    """The values of a query's places: the message's `params`, else the node's list (texts such as `payload.id` name
    the message's values), else a payload that is a list or an object."""
    given = message.get("params")
    if isinstance(given, (list, dict)):
        return cast("list[object] | dict[str, object]", given)
    if isinstance(written, list) and written:
        return [_value(item, message) for item in cast("list[object]", written)]
    payload = message.get("payload")
    if isinstance(payload, (list, dict)):
        return cast("list[object] | dict[str, object]", payload)
    return []


def _value(item: object, message: Message) -> object:
    if isinstance(item, str) and item.startswith(("payload", "msg.", "topic")):
        found = Path(item.removeprefix("msg.")).get(message)
        return None if found is MISSING else found
    return item


def plain(value: object) -> object:
    """A value that a message may hold: JSON's, or bytes; anything else as text."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in cast("dict[object, object]", value).items()}
    return str(value)
