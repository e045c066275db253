"""JSONata expressions, as Node-RED's nodes have them. The library is loaded with the first flow that has one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from .message import Message
from .node import Node, NodeConfig, NodeError

if TYPE_CHECKING:
    from .context import Context

SECONDS = 1.0
"""An expression may take so long; it is evaluated in the agent's own process, between two messages."""
_LEGACY = re.compile(r"""(^|[^a-zA-Z0-9_'".])msg([^a-zA-Z0-9_'"]|$)""")


class Expression:
    """A compiled expression of a node. `in_payload`: names are looked for in the payload, too, where it is an object:
    so the field runtime's expressions mean them."""

    def __init__(self, node: Node[NodeConfig], text: object, *, in_payload: bool = False) -> None:
        """Raises NodeError for what is no expression."""
        from jsonata import Jsonata

        self._text = str(text)
        self._in_payload = in_payload
        self._wrapped = bool(_LEGACY.search(self._text))  # An old expression begins with `msg`.
        try:
            self._compiled: Any = Jsonata(self._text)
        except Exception as error:  # The parser of a broken expression may raise anything.
            raise NodeError(f"{self._text!r} is no JSONata expression: {error}.") from None
        if self._compiled.errors:
            raise NodeError(f"{self._text!r} is no JSONata expression: {self._compiled.errors[0]}.")
        self._compiled.set_output_convert_nulls(False)
        for name, context in (("flowContext", node.flow_context), ("globalContext", node.global_context)):
            self._compiled.register_lambda(name, _reader(context))
        self._compiled.register_lambda("env", lambda name="": node.environment.get(str(name), ""))
        self._compiled.register_lambda("clone", _plain)

    def evaluate(self, message: Mapping[str, object], **variables: object) -> object:
        """The value; MISSING where there is none. `variables` are `$names`. Raises NodeError."""
        from jsonata.timebox import Timebox

        from .properties import MISSING

        Timebox(self._compiled.environment, int(SECONDS * 1000))
        values: Mapping[str, object] = message
        inner = message.get("payload")
        if self._in_payload and isinstance(inner, dict):
            values = {**cast("Message", inner), **message}
        if self._wrapped:
            values = {"msg": values}
        try:
            found = self._compiled.evaluate(dict(values), variables or None)
        except RecursionError:
            raise NodeError(f"The expression {self._text!r} calls itself too deep.") from None
        except Exception as error:  # JException, and whatever a function of the library stumbles over
            raise NodeError(f"The expression {self._text!r} failed: {error}.") from None
        return MISSING if found is None else _plain(found)


def _reader(context: Context) -> Any:
    def read(name: object = "", store: object = None) -> object:
        del store  # There is one.
        from .properties import MISSING, read_stored

        found = read_stored(context, str(name))
        return None if found is MISSING else found

    return read


def _plain(value: object) -> object:
    """As messages have it: the library's lists and nulls become ours. Raises NodeError for a function."""
    kind = type(value)
    if value is None or kind in (str, int, bool, bytes):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, (list, range)):
        return [_plain(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in cast("dict[object, object]", value).items()}
    if kind.__name__ == "NullValue":
        return None
    if kind.__module__.partition(".")[0] == "jsonata":
        raise NodeError("The expression's value is a function, not data. Call it.")
    return value
