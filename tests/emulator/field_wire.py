"""How the field client reads and writes JSON: a Go struct with `omitempty`, dropped whole when one field is
wrong.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_STRINGS = ("type", "id", "device_id", "api_key", "version", "action", "status", "error")


class Undecodable(ValueError):
    """Go's `json.Unmarshal` would return an error."""


@dataclass
class Message:
    """One tunnel message, as the struct has it after decoding."""

    type: str = ""
    id: str = ""
    action: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    status: str = ""
    data: Any = None
    error: str = ""


def now_text() -> str:
    """Go's time.Now() in JSON: nanoseconds without trailing zeros, the local offset (here one that is not
    UTC).
    """
    ns = time.time_ns() + int(3.5 * 3600) * 1_000_000_000
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 1_000_000_000))
    fraction = f"{ns % 1_000_000_000:09d}".rstrip("0")
    return f"{whole}{'.' + fraction if fraction else ''}+03:30"


def decode(text: str | bytes) -> Message:
    """The message, or Undecodable. Unknown fields are ignored, null is the zero value, numbers become
    floats.
    """
    try:
        raw = json.loads(text, parse_int=float)
    except ValueError as error:
        raise Undecodable(str(error)) from None
    if not isinstance(raw, dict):
        raise Undecodable("cannot unmarshal into Message")
    for name in _STRINGS:
        if not isinstance(raw.get(name) or "", str):
            raise Undecodable(f"cannot unmarshal {name} into a string")
    payload = raw.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Undecodable("cannot unmarshal payload into a map")
    stamp = raw.get("timestamp")
    if stamp is not None and not (isinstance(stamp, str) and _RFC3339.fullmatch(stamp)):
        raise Undecodable("cannot parse timestamp as RFC 3339")
    return Message(
        type=raw.get("type") or "",
        id=raw.get("id") or "",
        action=raw.get("action") or "",
        payload=payload or {},
        status=raw.get("status") or "",
        data=raw.get("data"),
        error=raw.get("error") or "",
    )


def decode_shadow(text: str) -> dict[str, Any]:
    """A shadow document, or Undecodable: nested metadata, a version that is no integer or an odd time break
    it.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise Undecodable(str(error)) from None
    if not isinstance(raw, dict):
        raise Undecodable("cannot unmarshal into Shadow")
    if not isinstance(raw.get("device_id", ""), str):
        raise Undecodable("device_id is not a string")
    version = raw.get("version", 0)
    if not isinstance(version, int) or isinstance(version, bool):
        raise Undecodable("version is not an integer")
    for name in ("desired", "reported", "delta"):
        if not isinstance(raw.get(name), dict):
            # Go would take null, and then assign to a nil map: the process dies. Here it is said at once.
            raise Undecodable(f"{name} is not an object")
    metadata = raw.get("metadata") or {}
    for half in ("desired", "reported"):
        for key, stamp in (metadata.get(half) or {}).items():
            if not isinstance(stamp, str) or not _RFC3339.fullmatch(stamp):
                raise Undecodable(f"metadata.{half}.{key} is not a time")
    updated = raw.get("updated_at")
    if updated is not None and not (isinstance(updated, str) and _RFC3339.fullmatch(updated)):
        raise Undecodable("updated_at is not a time")
    return raw
