"""The codec against anything: only FrameError comes out, in time that grows with the length and no faster."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow_protocol import Fault, FrameError, decode_from_cloud, decode_from_device, encode, frames, limits
from protocol.tests.material import texts, values

KIB = 1024


def refused(data: bytes) -> Fault:
    with pytest.raises(FrameError) as caught:
        decode_from_device(data)
    return caught.value.fault


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    for decode in (decode_from_device, decode_from_cloud):
        with contextlib.suppress(FrameError):
            decode(data)


json_pieces = st.sampled_from(
    [
        *(b'{"type":"', b"ping", b"response", b'"', b":", b",", b"{", b"}", b"[", b"]", b"\\", b"\\ud83d"),
        *(b"\\u0000", b'"id"', b'"data":', b"1e999", b"9" * 30, b"9" * 5000, b"\xff", b"\xed\xa0\x80"),
    ]
)


@given(st.lists(json_pieces, max_size=30).map(b"".join))
def test_nearly_json(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        decode_from_device(data)


@given(st.dictionaries(st.sampled_from(["type", "id", "status", "data", "payload", "samples"]), values))
def test_any_object(fields: dict[str, object]) -> None:
    for kind in ("response", "command", "telemetry", "connect"):
        try:
            decode_from_device(json.dumps(fields | {"type": kind}).encode())
        except FrameError as error:
            assert error.fault in (Fault.WRONG_FIELD, Fault.NOT_JSON)


@given(texts, texts, values, texts)
def test_round_trip(id: str, status: str, data: object, timestamp: str) -> None:
    frame = frames.Response(id=id, status=status, data=data, timestamp=timestamp)
    assert decode_from_device(encode(frame)) == frame


@given(st.text(alphabet=st.characters() | st.just("\0"), max_size=40))
def test_json_of_any_text(text: str) -> None:
    """Whatever a client escapes, lone surrogates and NUL included, arrives as text that can be stored."""
    frame = decode_from_device(json.dumps({"type": "response", "id": "c", "data": text}).encode())
    assert isinstance(frame, frames.Response)
    expected = "".join("�" if "\ud800" <= c <= "\udfff" else c for c in text if c != "\0")
    # A high surrogate that happens to stand before a low one is a pair in JSON.
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert (frame.data or "") == expected
    str(frame.data).encode()


def test_size_limit() -> None:
    room = limits.MAX_FRAME_BYTES - len(encode(frames.Response(id="c", data="x"))) + 1
    fits = frames.Response(id="c", data="x" * room)
    assert decode_from_device(encode(fits)) == fits
    with pytest.raises(FrameError) as caught:
        encode(frames.Response(id="c", data="x" * (room + 1)))
    assert caught.value.fault == Fault.TOO_LARGE
    assert refused(b" " * limits.MAX_FRAME_BYTES + b" ") == Fault.TOO_LARGE


@pytest.mark.parametrize(
    "data", [float("nan"), {1: 2}, "\ud800", object()], ids=["nan", "integer key", "surrogate", "object"]
)
def test_not_encodable_is_typed(data: object) -> None:
    try:
        encode(frames.Response(id="c", data=data))
    except FrameError as error:
        assert error.fault == Fault.NOT_ENCODABLE


HOSTILE = {
    "openings": b"[" * (256 * KIB),
    "pairs": b"[]" * (128 * KIB),
    "quotes": b'"' * (256 * KIB),
    "escaped quotes": b'"\\' * (128 * KIB),
    "backslashes": b"\\" * (256 * KIB),
    "keys": b'{"":' * (64 * KIB),
    "NULs": b'"' + b"\\u0000" * (43 * KIB) + b'"',
    "surrogates": b'"' + b"\\ud800" * (42 * KIB) + b'"',
    "digits": b"9" * (256 * KIB),
    "wide": b'{"type":"response","data":[' + b"[]," * (80 * KIB) + b"[]]}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_frames_cost_little(name: str) -> None:
    """Linear: what 256 KiB cost is not more than a few parses; quadratic reading would take minutes."""
    began = time.process_time()
    with contextlib.suppress(FrameError):
        decode_from_device(HOSTILE[name])
    assert time.process_time() - began < 1.0


@given(st.integers(1, 60), st.text(alphabet='[]{}"\\x', max_size=30))
def test_depth_is_that_of_the_parser(depth: int, noise: str) -> None:
    inner = json.dumps(noise)
    data = ("[" * depth + inner + "]" * depth).encode()
    if depth > limits.MAX_FRAME_DEPTH:
        with pytest.raises(FrameError):
            limits.check_depth(data)
    else:
        limits.check_depth(data)
