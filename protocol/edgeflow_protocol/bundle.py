"""Signed flow bundles: which bytes are signed, and what a device must find in them. Pure; no cryptography here.

A bundle is one JSON object in canonical form: `{"definition":{…},"flow_id":"…","format":1,"version":…}`, keys sorted,
no spaces, UTF-8. What travels and is stored is those bytes; the signature is Ed25519 over `signed_message(data)`. The
flow's id and version are inside, so that a signature is worth nothing for another flow or version.

A key is named by its own digest (`key_id_of`). A key that follows another is endorsed by it: the older one signs
`endorsed_message(public_key)`, so that a device which pinned the older one can follow, and nobody else can lead it on.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import msgspec

from .errors import DocumentError
from .limits import MAX_FRAME_DEPTH, check_depth, holds_nul

FORMAT = 1
MAX_BUNDLE_BYTES = 1024 * 1024
MAX_FLOW_ID = 128
MAX_VERSION = 64
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64

Version = int | str
"""What names a version: a whole number, or a text of at most 64 characters. Not ordered: going back is allowed."""

_SIGNED = b"edgeflow flow bundle 1\n"
_ENDORSED = b"edgeflow flow key 1\n"
_encoder = msgspec.json.Encoder(order="deterministic")


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flow as it is signed: `definition` has the flow's `nodes` and `connections` in any spelling."""

    format: int
    flow_id: str
    version: Version
    definition: dict[str, object]


class BundleReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a bundle is and what it must be. `sha256` in hex, `signature` in base64. `url` may be empty: the device
    then asks its cloud for one by the digest."""

    sha256: str
    signature: str
    key_id: str
    url: str = ""


class FlowKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key that signs flows: `public_key` is Ed25519 in base64. `endorsed_by` and `endorsement` (base64) prove that
    an older key names it as its successor. `retired`: it signs nothing any more, and stands only for the chain."""

    key_id: str
    public_key: str
    endorsed_by: str = ""
    endorsement: str = ""
    retired: bool = False


def write_bundle(flow_id: str, version: Version, definition: Mapping[str, object]) -> bytes:
    """The canonical bytes. Raises DocumentError (`bundle_invalid`, `bundle_too_large`)."""
    _check_name("flow_id", flow_id, MAX_FLOW_ID)
    if isinstance(version, str):
        _check_name("version", version, MAX_VERSION)
    elif version < 0:
        raise _invalid("version must not be negative")
    bundle = Bundle(FORMAT, flow_id, version, dict(definition))
    try:
        data = _encoder.encode(bundle)
        # Once more, read back: only then numbers and texts are as every reader will see them.
        data = _encoder.encode(msgspec.json.decode(data))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _invalid(f"it holds a value that JSON cannot carry ({error})") from error
    read_bundle(data)
    return data


def read_bundle(data: bytes) -> Bundle:
    """The bundle in `data`, whose signature the caller has checked. Raises DocumentError."""
    if len(data) > MAX_BUNDLE_BYTES:
        raise DocumentError(
            "bundle_too_large",
            f"The flow has {len(data)} bytes; at most {MAX_BUNDLE_BYTES} are accepted. Split it.",
        )
    try:
        check_depth(data, MAX_FRAME_DEPTH)
        bundle = msgspec.json.decode(data, type=Bundle)
    except (ValueError, RecursionError) as error:
        raise _invalid(str(error)) from error
    if bundle.format != FORMAT:
        raise _invalid(f"its format is {bundle.format}, this reader knows {FORMAT}")
    if holds_nul(data):
        raise _invalid("a text in it holds U+0000")
    _check_name("flow_id", bundle.flow_id, MAX_FLOW_ID)
    if isinstance(bundle.version, str):
        _check_name("version", bundle.version, MAX_VERSION)
    return bundle


def digest(data: bytes) -> str:
    """SHA-256 of the bundle's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def signed_message(data: bytes) -> bytes:
    """What is signed for a bundle: its bytes behind a line that no other signature of ours begins with."""
    return _SIGNED + data


def endorsed_message(public_key: bytes) -> bytes:
    """What an older key signs to name its successor."""
    return _ENDORSED + public_key


def key_id_of(public_key: bytes) -> str:
    """A key's name: nobody can give two keys the same one."""
    return f"fk_{hashlib.sha256(public_key).hexdigest()[:32]}"


def decode_base64(text: str, length: int) -> bytes | None:
    """The bytes of `text`, None when it is not base64 of exactly `length` bytes."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return found if len(found) == length else None


def encode_base64(data: bytes) -> str:
    """The counterpart of `decode_base64`."""
    return base64.b64encode(data).decode("ascii")


def _check_name(what: str, text: str, longest: int) -> None:
    if not text or len(text) > longest or not text.isprintable():
        raise _invalid(f"{what} must be 1 to {longest} printable characters")


def _invalid(reason: str) -> DocumentError:
    return DocumentError("bundle_invalid", f"This is not a flow bundle: {reason}.")
