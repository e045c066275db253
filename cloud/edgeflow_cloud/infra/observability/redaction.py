"""Secrets never reach a log: known shapes are cut out of every text, known names lose their value."""

import re
from collections.abc import Mapping
from typing import cast

_STARS = "***"

_SHAPES = (
    (re.compile(r"\b(efk|edgeflow)_[A-Za-z0-9_\-]{8,}"), r"\1_" + _STARS),
    (re.compile(r"\beyJ[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]{5,}(?:\.[A-Za-z0-9_\-]*)?"), "jwt " + _STARS),
    (re.compile(r"\bPROV-[A-Z0-9][A-Z0-9\-]{3,}"), "PROV-" + _STARS),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=\-]{8,}"), r"\1 " + _STARS),
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@"), r"\1" + _STARS + "@"),
    (re.compile(r"(?i)([?&](?:ticket|token|code|X-Amz-Signature|X-Amz-Credential)=)[^&\s\"']+"), r"\1" +
    _STARS),
    (re.compile(r"(?i)(\"?(?:password|secret|api_key|refresh_token|access_token)\"?\s*[=:]\s*\"?)[^\s\",&}]+"),
     r"\1" + _STARS),
)  # fmt: skip

_NAMES = re.compile(
    r"(?i)^(?:.*_)?(?:password|passwd|secret|token|api_key|apikey|authorization|cookie|credential|credentials|ticket|"
    r"provisioning_code|private_key|master_key)$"
)


def redact(value: object, *, depth: int = 6) -> object:
    """`value` with every secret that we can tell replaced by stars; containers are copied, not changed."""
    if isinstance(value, str):
        for shape, replacement in _SHAPES:
            value = shape.sub(replacement, value)
        return value
    if isinstance(value, bytes):
        return redact(value.decode("utf-8", "replace"))
    if depth <= 0:
        return redact(str(cast(object, value))) if isinstance(value, Mapping | list | tuple) else value
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return {key: _named(key, item, depth) for key, item in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth=depth - 1) for item in cast("list[object]", value)]
    if isinstance(value, BaseException):
        return redact(f"{type(value).__name__}: {value}")
    return value


def _named(key: object, item: object, depth: int) -> object:
    if isinstance(key, str) and _NAMES.match(key) and item not in (None, ""):
        return _STARS
    return redact(item, depth=depth - 1)
