"""Mustache, compiled once and filled often: variables, sections, inverted sections, comments, other delimiters.

Node-RED's template fills with mustache.js; so are its escapes here. No partials: a flow has no files. (The libraries
that there are for Python parse anew at each filling, and none is kept up.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from .javalike import to_text, truthy
from .node import NodeError
from .properties import MISSING, Path

LookUp = Callable[[str], object]
_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&#39;",
        "/": "&#x2F;",
        "`": "&#x60;",
        "=": "&#x3D;",
    }
)
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?")
_SPECIAL = re.compile("[&<>\"'`=/]")


class _Text:
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _Variable:
    __slots__ = ("escaped", "name", "parts")

    def __init__(self, name: str, escaped: bool) -> None:
        self.name, self.escaped = name, escaped
        self.parts = name.split(".") if name != "." else ["."]


class _Section:
    __slots__ = ("body", "inverted", "variable")

    def __init__(self, name: str, inverted: bool) -> None:
        self.variable = _Variable(name, False)
        self.inverted = inverted
        self.body: list[_Text | _Variable | _Section] = []


class Template:
    """A compiled template. Raises NodeError when it is not well formed."""

    def __init__(self, source: str) -> None:
        self._body = _parse(source)
        self._format: str | None = None
        self._shows: list[Callable[[dict[str, object], LookUp], str]] = []
        if not any(isinstance(part, _Section) for part in self._body):
            variables = [part for part in self._body if isinstance(part, _Variable)]
            texts = [part.text.replace("%", "%%") if isinstance(part, _Text) else "%s" for part in self._body]
            self._format, self._shows = "".join(texts), [_shower(variable) for variable in variables]

    def render(self, values: dict[str, object], look_up: LookUp) -> str:
        """The text. A name that `values` lacks is asked of `look_up`, and is empty if that answers MISSING."""
        if self._format is not None:
            return self._format % tuple([show(values, look_up) for show in self._shows])
        out: list[str] = []
        _fill(self._body, [values], look_up, out)
        return "".join(out)


def _parse(source: str) -> list[_Text | _Variable | _Section]:
    opening, closing = "{{", "}}"
    stack: list[tuple[str, list[_Text | _Variable | _Section]]] = [("", [])]
    at = 0
    while True:
        start = source.find(opening, at)
        body = stack[-1][1]
        if start < 0:
            if at < len(source):
                body.append(_Text(source[at:]))
            break
        sign = source[start + len(opening) : start + len(opening) + 1]
        ending = "}" + closing if sign == "{" else "=" + closing if sign == "=" else closing
        end = source.find(ending, start + len(opening))
        if end < 0:
            raise NodeError(
                f"The template has an unclosed tag at character {start + 1}: {source[start : start + 20]!r}."
            )
        skip = 1 if sign in "#^/!{&=>" and sign else 0
        name = source[start + len(opening) + skip : end].strip()
        before, after = source[at:start], end + len(ending)
        if sign and sign in "#^/!=" and (alone := _stands_alone(source, start, after)) is not None:
            before, after = before[: len(before) - alone[0]], alone[1]
        if before:
            body.append(_Text(before))
        at = after
        if sign == "=":
            opening, closing = [*name.split(), "", ""][:2]
            if not opening or not closing:
                raise NodeError(f"The template sets no delimiters at character {start + 1}.")
        elif sign in ("#", "^") and sign:
            section = _Section(name, sign == "^")
            body.append(section)
            stack.append((name, section.body))
        elif sign == "/":
            if len(stack) == 1 or stack[-1][0] != name:
                raise NodeError(f"The template closes the section {name!r}, which is not open there.")
            stack.pop()
        elif sign == ">":
            raise NodeError(f"The template asks for the partial {name!r}; there are none here.")
        elif sign != "!":
            body.append(_Variable(name, sign not in ("{", "&")))
    if len(stack) > 1:
        raise NodeError(f"The template does not close the section {stack[-1][0]!r}.")
    return stack[0][1]


def _stands_alone(source: str, start: int, after: int) -> tuple[int, int] | None:
    """A section's tag alone on its line takes the line with it: (blanks before it, where the next line begins)."""
    line = source.rfind("\n", 0, start) + 1
    if source[line:start].strip(" \t"):
        return None
    end = source.find("\n", after)
    rest = source[after : end if end >= 0 else len(source)]
    if rest.strip(" \t\r"):
        return None
    return start - line, end + 1 if end >= 0 else len(source)


def _shower(variable: _Variable) -> Callable[[dict[str, object], LookUp], str]:
    """What writes a variable outside of any section."""
    escaped = variable.escaped
    name = variable.name
    if len(variable.parts) > 2 or not _NAME.fullmatch(name):
        return lambda values, look_up: _write(_find(variable, [values], look_up), escaped)
    get, special = Path(name).get, _SPECIAL.search

    def show(values: dict[str, object], look_up: LookUp) -> str:
        value = get(values)
        kind: object = type(value)  # pyright: ignore[reportUnknownVariableType]
        if kind is int:
            return str(value)
        if kind is str:
            return value.translate(_ESCAPES) if escaped and special(value) else value
        return _write(look_up(name) if value is MISSING else value, escaped)

    return show


def _write(value: object, escaped: bool) -> str:
    if value is MISSING or value is None:
        return ""
    text = to_text(value)
    return text.translate(_ESCAPES) if escaped and _SPECIAL.search(text) else text


def _fill(body: list[Any], stack: list[object], look_up: LookUp, out: list[str]) -> None:
    for part in body:
        kind: object = type(part)  # pyright: ignore[reportUnknownVariableType]
        if kind is _Text:
            out.append(part.text)
            continue
        if kind is _Variable:
            value = _find(part, stack, look_up)
            if value is MISSING or value is None:
                continue
            text = value if type(value) is str else to_text(value)
            out.append(text.translate(_ESCAPES) if part.escaped and _SPECIAL.search(text) else text)
            continue
        value = _find(part.variable, stack, look_up)
        shows = value is not MISSING and truthy(value) and value != []
        if part.inverted:
            if not shows:
                _fill(part.body, stack, look_up, out)
        elif shows:
            for item in cast("list[object]", value) if isinstance(value, list) else [value]:
                _fill(part.body, [*stack, item], look_up, out)


def _find(variable: _Variable, stack: list[object], look_up: LookUp) -> object:
    parts = variable.parts
    if parts[0] == ".":
        return stack[-1]
    first = parts[0]
    for values in reversed(stack):
        if isinstance(values, dict):
            found: Any = cast("dict[str, object]", values).get(first, MISSING)
            if found is MISSING:
                continue
            for part in parts[1:]:
                if isinstance(found, dict):
                    found = cast("dict[str, object]", found).get(part, MISSING)
                elif isinstance(found, (list, str)):
                    entries = cast("list[object]", found)
                    if part == "length":
                        found = len(entries)
                    else:
                        found = entries[int(part)] if part.isdigit() and int(part) < len(entries) else MISSING
                else:
                    return MISSING
                if found is MISSING:
                    return MISSING
            return found
    return look_up(variable.name)
