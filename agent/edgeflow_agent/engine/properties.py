"""Property paths (`payload.values[0].name`) and typed values (`{"type": "flow", "value": "limit"}`) as Node-RED has
them; compiled once, when a node starts."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, cast

from .javalike import to_number
from .message import Message, clone_value
from .node import Node, NodeConfig, NodeError

if TYPE_CHECKING:
    from .context import Context

MISSING: Final = object()
"""What `Path.get` answers where there is nothing (JavaScript's undefined)."""

_PART = re.compile(r"""\.?([A-Za-z_$À-￿][\w$-]*|\d+)|\[(\d+)\]|\[(["'])(.*?)\3\]|\[(msg\.[^\]]+)\]""")
Part = "str | int | Path"


class Path:
    """A compiled path. A number in brackets is a place in a list or a text key of an object."""

    __slots__ = ("_parts", "_plain", "_single", "get", "text")

    get: Callable[[Message], Any]  # Any: the caller checks what it uses.
    """The value there, or MISSING."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = _parse(text)
        first = self._parts[0]
        self._single = first if len(self._parts) == 1 and isinstance(first, str) else None
        self._plain = all(isinstance(part, str) for part in self._parts)
        self.get = _getter(self._parts, self._get)

    @property
    def single(self) -> str | None:
        """The key, if that is all there is to the path."""
        return self._single

    @property
    def pair(self) -> tuple[str, str] | None:
        """The two keys, if those are all there is to the path."""
        return (self._parts[0], self._parts[1]) if self._plain and len(self._parts) == 2 else None

    def _get(self, values: Message) -> Any:
        found: Any = values
        for part in self._parts:
            if isinstance(part, Path):
                part = part.get(values)
            if isinstance(found, dict):
                found = cast("dict[object, object]", found).get(
                    part if isinstance(part, str) else str(part), MISSING
                )
            elif isinstance(found, (list, str, bytes)):
                if part == "length":
                    return len(cast("list[object]", found))
                place = _place(part)
                if place is None or place >= len(cast("list[object]", found)):
                    return MISSING
                found = cast("list[object]", found)[place]
            else:
                return MISSING
            if found is MISSING:
                return MISSING
        return found

    def set(self, values: Message, value: object) -> bool:
        """Put the value there, making objects on the way. False if something on the way is neither object nor list."""
        if self._single is not None:
            values[self._single] = value
            return True
        holder: Any = values.get(self._parts[0]) if self._plain and len(self._parts) == 2 else None
        if type(holder) is dict:
            holder[self._parts[1]] = value
            return True
        found: Any = values
        parts = [part.get(values) if isinstance(part, Path) else part for part in self._parts]
        for part, following in pairwise(parts):
            inner: Any = _child(found, part)
            if inner is MISSING or inner is None:
                inner = cast("Any", [] if isinstance(following, int) else {})
                if not _put(found, part, inner):
                    return False
            elif not isinstance(inner, (dict, list)):
                return False
            found = cast("object", inner)
        return _put(found, parts[-1], value)

    def delete(self, values: Message) -> None:
        """Remove what is there, if it is."""
        if self._single is not None:
            values.pop(self._single, None)
            return
        found: Any = values
        parts = [part.get(values) if isinstance(part, Path) else part for part in self._parts]
        for part in parts[:-1]:
            found = _child(found, part)
            if not isinstance(found, (dict, list)):
                return
        last = parts[-1]
        if isinstance(found, dict):
            cast("dict[str, object]", found).pop(str(last), None)
        elif (place := _place(last)) is not None and place < len(cast("list[object]", found)):
            del found[place]


_OWN = frozenset({"payload", "topic"})


class FieldPath(Path):
    """A path as the field runtime has it, where everything is in the payload: what the message itself lacks is looked
    for in its payload, and put there, if that is an object. `payload.x` and `topic` are as everywhere."""

    __slots__ = ("_first",)

    def __init__(self, text: str) -> None:
        super().__init__(text.removeprefix("msg."))
        self._first = str(self._parts[0])
        if self._first not in _OWN and not self._first.startswith("_"):
            direct = self.get

            def get(values: Message) -> Any:
                found = direct(values)
                if found is MISSING and isinstance(inner := values.get("payload"), dict):
                    return direct(cast("Message", inner))
                return found

            self.get = get

    def set(self, values: Message, value: object) -> bool:
        return super().set(self._holder(values), value)

    def delete(self, values: Message) -> None:
        super().delete(self._holder(values))

    def _holder(self, values: Message) -> Message:
        inner = values.get("payload")
        if (
            self._first in values
            or self._first in _OWN
            or self._first.startswith("_")
            or not isinstance(inner, dict)
        ):
            return values
        return cast("Message", inner)


def _getter(parts: list[Any], slowly: Callable[[Message], Any]) -> Callable[[Message], Any]:
    """The two commonest paths, `payload` and `payload.value`, without a loop."""
    if len(parts) > 2 or not all(isinstance(part, str) for part in parts):
        return slowly
    first = parts[0]
    if len(parts) == 1:
        return lambda values: values.get(first, MISSING)
    second = parts[1]

    def get(values: Message) -> Any:
        inner: Any = values.get(first, MISSING)
        if type(inner) is dict:
            return inner.get(second, MISSING)  # pyright: ignore[reportUnknownVariableType]
        return slowly(values)

    return get


def _parse(text: str) -> list[Any]:
    parts: list[Any] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None or (at == 0 and text[0] == "."):
            raise NodeError(f"{text!r} is not a property path: mind what is at character {at + 1}.")
        name, number, _, quoted, nested = match.groups()
        if name is not None:
            parts.append(name)
        elif number is not None:
            parts.append(int(number))
        elif nested is not None:
            parts.append(Path(nested.removeprefix("msg.")))
        else:
            parts.append(quoted)
        at = match.end()
    if not parts:
        raise NodeError("A property path must not be empty.")
    return parts


def _place(part: object) -> int | None:
    if isinstance(part, int):
        return part
    return int(part) if isinstance(part, str) and part.isdigit() else None


def _child(found: Any, part: object) -> Any:
    if isinstance(found, dict):
        return cast("dict[str, object]", found).get(str(part), MISSING)
    place = _place(part)
    if isinstance(found, list) and place is not None and place < len(cast("list[object]", found)):
        return cast("list[object]", found)[place]
    return MISSING


def _put(found: Any, part: object, value: object) -> bool:
    if isinstance(found, dict):
        found[str(part)] = value
        return True
    place = _place(part)
    if not isinstance(found, list) or place is None or place > 100_000:
        return False
    entries = cast("list[object]", found)
    entries.extend([None] * (place + 1 - len(entries)))
    entries[place] = value
    return True


Evaluator = Callable[[Message], object]
"""From a message to a value; MISSING where there is none."""

_ALIASES = {"string": "str", "number": "num", "boolean": "bool"}


def evaluator(node: Node[NodeConfig], kind: str, value: object) -> Evaluator:
    """Compile a typed value. Raises NodeError for a type that there is not, or a value that does not fit it."""
    kind = _ALIASES.get(kind, kind)
    if kind == "field":
        return FieldPath(str(value)).get
    if kind in ("msg", "flow", "global"):
        path = Path(str(value).removeprefix("msg.") if kind == "msg" else _plain_key(str(value)))
        if kind == "msg":
            return path.get
        context = node.flow_context if kind == "flow" else node.global_context
        return lambda _: path.get(_Stored(context.get, path.text))
    constant = _constant(kind, value)
    if constant is not MISSING:
        if isinstance(constant, (dict, list)):
            return lambda _: clone_value(cast("object", constant))
        return lambda _: constant
    if kind == "date":
        return lambda _: int(time.time() * 1000)
    if kind == "env":
        name = str(value)
        return lambda _: node.environment.get(name, "")
    if kind in ("jsonata", "expression"):
        from .expressions import Expression  # It needs this module, and costs memory.

        return Expression(node, value, in_payload=kind == "expression").evaluate
    raise NodeError(
        f"There is no value type {kind!r}; there are msg, flow, global, str, num, bool, json, date, env, jsonata."
    )


def _constant(kind: str, value: object) -> object:
    if kind == "str":
        return (
            value
            if isinstance(value, str)
            else ""
            if value is None
            else json.dumps(value)
            if isinstance(value, (dict, list))
            else str(value)
        )
    if kind == "num":
        return to_number(value)
    if kind == "bool":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind == "json":
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            raise NodeError(f"{value!r} is not JSON: {error}.") from None
    if kind == "bin":
        try:
            return bytes(json.loads(value)) if isinstance(value, str) else bytes(cast("list[int]", value))
        except (ValueError, TypeError) as error:
            raise NodeError(f"{value!r} is not a list of bytes: {error}.") from None
    if kind in ("", "null"):
        return None if kind == "null" else value
    return MISSING


class _Stored(dict[str, object]):
    """A context seen as a message: only the first key of the path is fetched."""

    def __init__(self, fetch: Callable[[str, object], object], path: str) -> None:
        match = _PART.match(path)
        key = next(filter(None, match.groups()), "") if match else path
        value = fetch(key, MISSING)
        super().__init__({} if value is MISSING else {key: value})


def read_stored(context: Context, path: str) -> object:
    """What a context has at a path; MISSING where there is nothing."""
    compiled = Path(_plain_key(path))
    return compiled.get(_Stored(context.get, compiled.text))


def set_typed(node: Node[NodeConfig], kind: str, path: str) -> Callable[[Message, object], bool]:
    """Compile what sets a `msg`, `flow`, `global` or `field` (see FieldPath) property to a value."""
    if kind == "field":
        return FieldPath(path).set
    if kind == "msg":
        return _setter(Path(path.removeprefix("msg.")))
    if kind not in ("flow", "global"):
        raise NodeError(f"Only msg, flow and global properties can be set, not {kind!r}.")
    context = node.flow_context if kind == "flow" else node.global_context
    compiled = Path(_plain_key(path))

    def put(_: Message, value: object) -> bool:
        values = _Stored(context.get, compiled.text)
        done = compiled.set(values, value)
        for key, item in values.items():
            context.set(key, item)
        return done

    return put


def _setter(path: Path) -> Callable[[Message, object], bool]:
    key = path.single
    if key is None:
        return path.set

    def put(message: Message, value: object) -> bool:
        message[key] = value
        return True

    return put


def _deleter(path: Path) -> Callable[[Message], None]:
    pair = path.pair
    if pair is None:
        return path.delete
    first, second = pair

    def drop(message: Message) -> None:
        inner: Any = message.get(first)
        if type(inner) is dict:
            inner.pop(second, None)
        else:
            path.delete(message)

    return drop


def delete_typed(node: Node[NodeConfig], kind: str, path: str) -> Callable[[Message], None]:
    """Compile what removes a `msg`, `flow` or `global` property."""
    if kind == "field":
        return FieldPath(path).delete
    if kind == "msg":
        return _deleter(Path(path.removeprefix("msg.")))
    context = node.flow_context if kind == "flow" else node.global_context
    compiled = Path(_plain_key(path))

    def drop(_: Message) -> None:
        values = _Stored(context.get, compiled.text)
        before = list(values)
        compiled.delete(values)
        for key in before:
            context.set(key, values.get(key))

    return drop


def _plain_key(path: str) -> str:
    """Without Node-RED's store name: `#:(file)::key` is `key`; here there is one store."""
    return path.partition("::")[2] if path.startswith("#:(") else path
