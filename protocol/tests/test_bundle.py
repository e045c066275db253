"""Flow bundles: one definition has one spelling, and what is not a bundle is a sentence."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow_protocol import DocumentError
from edgeflow_protocol.bundle import (
    MAX_BUNDLE_BYTES,
    decode_base64,
    digest,
    encode_base64,
    endorsed_message,
    key_id_of,
    read_bundle,
    signed_message,
    write_bundle,
)

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcdef", max_size=4), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def test_the_bytes_are_fixed() -> None:
    data = write_bundle("flow-1", 3, {"nodes": [{"type": "inject", "id": "n1"}], "connections": []})
    assert data == (
        b'{"definition":{"connections":[],"nodes":[{"id":"n1","type":"inject"}]},'
        b'"flow_id":"flow-1","format":1,"version":3}'
    )
    assert digest(data) == hashlib.sha256(data).hexdigest()
    assert signed_message(data) == b"edgeflow flow bundle 1\n" + data
    assert endorsed_message(b"k") == b"edgeflow flow key 1\nk"


@given(st.dictionaries(st.text("abcxyz", max_size=4), _values, max_size=4))
def test_one_definition_has_one_spelling(definition: dict[str, object]) -> None:
    data = write_bundle("f", "v", definition)
    again = json.loads(data)
    shuffled = dict(reversed(list(again["definition"].items())))
    assert write_bundle("f", "v", shuffled) == data
    assert write_bundle(again["flow_id"], again["version"], read_bundle(data).definition) == data


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b"\xff", b'{"definition":{},"flow_id":"","format":1,"version":1}',
        b'{"definition":{},"flow_id":"f","format":2,"version":1}',
        b'{"definition":[],"flow_id":"f","format":1,"version":1}',
        b'{"definition":{},"flow_id":"f","format":1,"version":1,"more":1}',
        b'{"definition":{"a":"\\u0000"},"flow_id":"f","format":1,"version":1}',
        b'{"definition":{"a":' + b"[" * 60 + b"]" * 60 + b'},"flow_id":"f","format":1,"version":1}',
        b'{"definition":{},"flow_id":"f","format":1,"version":"' + b"v" * 65 + b'"}',
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_said(data: bytes) -> None:
    with pytest.raises(DocumentError, match="not a flow bundle") as caught:
        read_bundle(data)
    assert caught.value.code == "bundle_invalid"


def test_limits_are_said() -> None:
    with pytest.raises(DocumentError, match="at most"):
        write_bundle("f", 1, {"text": "x" * MAX_BUNDLE_BYTES})
    for flow_id, version in (("", 1), ("x" * 129, 1), ("a\nb", 1), ("f", -1), ("f", "")):
        with pytest.raises(DocumentError):
            write_bundle(flow_id, version, {})
    with pytest.raises(DocumentError):
        write_bundle("f", 1, {"x": object()})


def test_keys_are_named_by_what_they_are() -> None:
    assert key_id_of(bytes(32)) == "fk_66687aadf862bd776c8fc18b8e9f8e20"
    assert key_id_of(bytes(32)) != key_id_of(b"\1" + bytes(31))
    assert decode_base64(encode_base64(bytes(64)), 64) == bytes(64)
    assert decode_base64(encode_base64(bytes(63)), 64) is None
    assert decode_base64("not base64!", 64) is None
