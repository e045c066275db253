"""Bytes to frames and back. The good case is one typed parse; the slow path is for the field's oddities."""

from __future__ import annotations

from typing import TypeVar, cast

import msgspec

from .errors import Fault, FrameError
from .frames import CloudFrame, DeviceFrame, Frame
from .limits import MAX_FRAME_BYTES, check_depth, check_size, holds_nul, repair_surrogates, strip_nul

_F = TypeVar("_F")

_from_device: msgspec.json.Decoder[DeviceFrame] = msgspec.json.Decoder(DeviceFrame)
_from_cloud: msgspec.json.Decoder[CloudFrame] = msgspec.json.Decoder(CloudFrame)
_any: msgspec.json.Decoder[object] = msgspec.json.Decoder(object)
_encoder = msgspec.json.Encoder()

# All that the parser raises for bad text: its own errors, invalid UTF-8 and overlong numbers are ValueErrors.
_UNREADABLE = (ValueError, RecursionError, OverflowError)
_SALVAGED_LENGTH = 128


def decode_from_device(data: bytes) -> DeviceFrame:
    """The frame that a device sent. Raises FrameError, and nothing else, for anything that is not one."""
    return _decode(data, _from_device)


def decode_from_cloud(data: bytes) -> CloudFrame:
    """The frame that the cloud sent. Raises FrameError, and nothing else, for anything that is not one."""
    return _decode(data, _from_cloud)


def encode(frame: Frame, limit: int = MAX_FRAME_BYTES) -> bytes:
    """The frame as UTF-8 JSON. Raises FrameError when it is larger than `limit` or holds what JSON cannot."""
    try:
        data = _encoder.encode(frame)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise FrameError(
            Fault.NOT_ENCODABLE, f"The frame holds a value that JSON cannot carry: {error}."
        ) from error
    check_size(data, limit)
    return data


def _decode(data: bytes, decoder: msgspec.json.Decoder[_F]) -> _F:
    check_size(data)
    check_depth(data)
    if not holds_nul(data):
        try:
            return decoder.decode(data)
        except _UNREADABLE:
            pass  # once more below, slowly: to forgive what may be forgiven and to name what is wrong
    return _decode_slowly(data, decoder)


def _decode_slowly(data: bytes, decoder: msgspec.json.Decoder[_F]) -> _F:
    raw = strip_nul(_parse(repair_surrogates(data)))
    if not isinstance(raw, dict):
        raise FrameError(Fault.NOT_AN_OBJECT, "A frame is one JSON object; this is something else.")
    fields = {key: value for key, value in cast(dict[str, object], raw).items() if value is not None}
    frame_type = fields.get("type", "")
    if not isinstance(frame_type, str) or not frame_type:
        raise FrameError(Fault.MISSING_TYPE, "The frame has no `type`; it must be a text.")
    try:
        return msgspec.convert(fields, decoder.type)
    except _UNREADABLE as error:
        reason = str(error)
        shown = frame_type[:_SALVAGED_LENGTH]
        if reason.endswith("`$.type`"):
            raise FrameError(
                Fault.UNKNOWN_TYPE, f"The frame type '{shown}' is not known here.", frame_type=shown
            ) from None
        raise FrameError(
            Fault.WRONG_FIELD,
            f"The frame '{shown}' has a field of the wrong kind: {reason}.",
            frame_type=shown,
            id=_text(fields.get("id")),
            boot_id=_text(fields.get("boot_id")),
            sequence=_whole(fields.get("sequence")),
        ) from None


def _parse(data: bytes) -> object:
    try:
        return _any.decode(data)
    except _UNREADABLE as error:
        raise FrameError(Fault.NOT_JSON, f"The frame is not readable JSON: {error}.") from None


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _SALVAGED_LENGTH else ""


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else 0
