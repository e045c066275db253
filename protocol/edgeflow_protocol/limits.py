"""Limits checked before a frame is parsed, in time linear in its length, and what is cleaned after.

The parser itself is safe against hostile input, but depth costs stack, and a document that deep breaks
whoever reads it next. So depth is decided on the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from .errors import Fault, FrameError

MAX_FRAME_BYTES = 256 * 1024
"""A tunnel message, as UTF-8 bytes."""

MAX_FRAME_DEPTH = 32
"""Objects and arrays inside one another; the frame's own object is the first."""

# A string, whole: possessive, so that an unterminated one is passed over once and never tried again.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")

# Every escape is consumed as a unit, so that the text `\\ud800` (a backslash, then letters) is left alone.
_ESCAPE = re.compile(
    rb"\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)",
    re.DOTALL,
)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE = re.compile(rb"u[dD][89a-fA-F][0-9a-fA-F]{2}")


def check_size(data: bytes, limit: int = MAX_FRAME_BYTES) -> None:
    """Refuse a frame of more than `limit` bytes; raises FrameError."""
    if len(data) > limit:
        raise FrameError(
            Fault.TOO_LARGE,
            f"The frame has {len(data)} bytes; at most {limit} are accepted. Send less at once.",
        )


def check_depth(data: bytes, limit: int = MAX_FRAME_DEPTH) -> None:
    """Refuse JSON text that nests deeper than `limit`: FrameError. Malformed text is left to the parser."""
    if data.count(b"[") + data.count(b"{") <= limit:
        return
    rest = _STRING.sub(b"", data).translate(_TO_SQUARE, _NOT_BRACKETS)
    # Each round takes away exactly the innermost level, at the speed of a memory copy.
    for _ in range(limit):
        shallower = rest.replace(b"[]", b"")
        if not shallower:
            return
        if len(shallower) == len(rest):
            break  # nothing closes any more: it is malformed as well
        rest = shallower
    if rest.count(b"[") > limit or b"[]" in rest:
        raise FrameError(Fault.TOO_DEEP, f"The frame nests deeper than {limit} levels. Flatten it.")


def repair_surrogates(data: bytes) -> bytes:
    """Replace each lone surrogate escape by U+FFFD, as the field client's JSON reader does; pairs stay."""

    def repaired(found: re.Match[bytes]) -> bytes:
        return b"\\ufffd" if _LONE.fullmatch(found.group(1)) else found.group(0)

    return _ESCAPE.sub(repaired, data) if _SURROGATE.search(data) else data


def holds_nul(data: bytes) -> bool:
    """Whether a string of this JSON text may hold U+0000 (a raw NUL is not JSON, so only its escape can)."""
    return b"\\u0000" in data


def strip_nul(value: object) -> object:
    """The same JSON value without U+0000: device-tree text ends in it, PostgreSQL refuses it.

    Of two keys that become equal the later wins, as with duplicate keys.
    """
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [strip_nul(item) for item in cast(list[object], value)]
    if isinstance(value, Mapping):
        items = cast(Mapping[str, object], value).items()
        return {key.replace("\0", ""): strip_nul(item) for key, item in items}
    return value
