"""The algebra of shadow documents: merge, delta, leaves. Pure: no function changes its arguments.

A document is a JSON object without nulls in its objects: a merge leaves none (in arrays they are values).
Laws, kept by tests: `merge` is idempotent; `delta(d, merge(r, delta(d, r)))` is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from .errors import DocumentError

Document = dict[str, object]

MAX_DOCUMENT_BYTES = 64 * 1024
"""One half of a shadow (desired, or reported) as compact UTF-8 JSON."""

MAX_DOCUMENT_DEPTH = 8
"""Objects and arrays inside one another; the document itself is the first."""

_encoder = msgspec.json.Encoder()


def merge(document: Mapping[str, object], change: Mapping[str, object]) -> Document:
    """`document` with `change` over it: objects merge key by key, null deletes, all else replaces whole."""
    merged = dict(document)
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            old = merged.get(key)
            base: Mapping[str, object] = cast(Mapping[str, object], old) if isinstance(old, Mapping) else {}
            merged[key] = merge(base, cast(Mapping[str, object], value))
        else:
            merged[key] = value
    return merged


def delta(desired: Mapping[str, object], reported: Mapping[str, object]) -> Document:
    """The leaves of `desired` that differ from `reported`, in their places; empty when the device is in step.

    An empty object is satisfied by any object: nothing under it was asked for.
    """
    missing: Document = {}
    for key, wanted in desired.items():
        if wanted is None:
            continue
        actual = reported.get(key)
        if isinstance(wanted, Mapping):
            wanted_object = cast(Mapping[str, object], wanted)
            if isinstance(actual, Mapping):
                inner = delta(wanted_object, cast(Mapping[str, object], actual))
                if inner:
                    missing[key] = inner
            else:
                missing[key] = merge({}, wanted_object)
        elif key not in reported or not same(wanted, actual):
            missing[key] = wanted
    return missing


def same(one: object, other: object) -> bool:
    """Equality of JSON values: 1 and 1.0 are the same number, but true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        left, right = cast(Mapping[str, object], one), cast(Mapping[str, object], other)
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(one, list) and isinstance(other, list):
        ours, theirs = cast(list[object], one), cast(list[object], other)
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return one == other


def leaves(document: Mapping[str, object]) -> dict[str, object]:
    """Every leaf by its dotted path. Arrays, empty objects and (in a change) nulls are leaves.

    Dots and backslashes inside a key are escaped by a backslash: `{"a.b": {"c": 1}}` has the path `a\\.b.c`.
    """
    found: dict[str, object] = {}
    _collect(document, "", found)
    return found


def _collect(document: Mapping[str, object], prefix: str, found: dict[str, object]) -> None:
    for key, value in document.items():
        path = prefix + escape(key)
        if isinstance(value, Mapping) and value:
            _collect(cast(Mapping[str, object], value), path + ".", found)
        else:
            found[path] = cast(object, value)


def escape(key: str) -> str:
    """A key as one segment of a dotted path."""
    if "." in key or "\\" in key:
        return key.replace("\\", "\\\\").replace(".", "\\.")
    return key


def split_path(path: str) -> list[str]:
    """The keys of a dotted path, unescaped: the inverse of `leaves`' naming."""
    keys = [""]
    characters = iter(path)
    for character in characters:
        if character == ".":
            keys.append("")
        else:
            keys[-1] += next(characters, "") if character == "\\" else character
    return keys


def stamp(
    stamps: Mapping[str, str], change: Mapping[str, object], document: Mapping[str, object], at: str
) -> dict[str, str]:
    """The flat metadata of `document` after `change` was merged into it at `at` (RFC 3339).

    A leaf that the change names is stamped `at`, even if its value stayed; others keep theirs; gone ones go.
    """
    named = leaves(change)
    return {path: at if path in named else stamps.get(path, at) for path in leaves(document)}


def check(document: Mapping[str, object]) -> None:
    """Refuse half a shadow that is too deep, too large or not JSON; raises DocumentError with a sentence."""
    if _depth(document, MAX_DOCUMENT_DEPTH) > MAX_DOCUMENT_DEPTH:
        raise DocumentError(
            "document_too_deep", f"The shadow nests deeper than {MAX_DOCUMENT_DEPTH} levels. Flatten it."
        )
    try:
        size = len(_encoder.encode(document))
    except (ValueError, TypeError, OverflowError) as error:
        raise DocumentError(
            "document_not_json", f"The shadow holds a value that JSON cannot carry: {error}."
        ) from error
    if size > MAX_DOCUMENT_BYTES:
        raise DocumentError(
            "document_too_large",
            f"The shadow would have {size} bytes; at most {MAX_DOCUMENT_BYTES} are kept. "
            "Delete keys by setting them to null.",
        )


def _depth(value: object, limit: int) -> int:
    """How deep `value` nests, giving up just beyond `limit`."""
    if isinstance(value, Mapping):
        inner = list(cast(Mapping[str, object], value).values())
    elif isinstance(value, list):
        inner = cast(list[object], value)
    else:
        return 0
    if limit <= 0:
        return 1
    return 1 + max((_depth(item, limit - 1) for item in inner), default=0)
