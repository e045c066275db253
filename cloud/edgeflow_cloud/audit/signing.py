"""Signatures of the audit log: Ed25519 keys, checkpoints, and the statement that ends an export.

What is signed is a JSON text, byte by byte, so that `openssl pkeyutl -verify -rawin` can check it too.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from edgeflow_cloud.infra.secrets import Secret, Secrets, master_bytes


class NotSigned(Exception):
    """The document is not one that was signed with a key that is trusted; `str()` says why."""


class BadKey(ValueError):
    """The text holds no public Ed25519 key."""


class Previous(msgspec.Struct, frozen=True):
    """The checkpoint before."""

    sequence: int
    hash: str


class Checkpoint(msgspec.Struct, frozen=True):
    """A signed statement: seal number `sequence` of the organization's chain has this hash (hexadecimal).

    Before signing, the chain from `previous` on was walked, so each vouches for all that came before.
    """

    edgeflow_audit_checkpoint: int
    organization_id: str
    sequence: int
    hash: str
    previous: Previous | None
    made_at: str
    key_id: str


class ExportEnd(msgspec.Struct, frozen=True):
    """The signed last line of an export: what it holds, and the SHA-256 of all bytes before this line."""

    edgeflow_audit_export: int
    organization_id: str
    after: int
    sequence: int
    hash: str
    unsealed: int
    sha256: str
    made_at: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A document's exact text and its signature, 64 bytes."""

    document: bytes
    signature: bytes

    def to_json(self, name: str) -> bytes:
        """`{"<name>":<document>,"signature":"<base64>"}`."""
        return b'{"%s":%s,"signature":"%s"}' % (
            name.encode(),
            self.document,
            base64.b64encode(self.signature),
        )


PublicKeys = Mapping[str, Ed25519PublicKey]
"""Trusted keys by their id."""


class Signer:
    """The installation's audit keys: the one that signs, and all that are believed."""

    def __init__(self, secrets: Secrets, now: datetime) -> None:
        self._private = _private(secrets.audit_keys.current.text)
        self.key_id = key_id(self._private.public_key())
        self.trusted: PublicKeys = by_id(
            _private(key.text).public_key() for key in secrets.audit_keys.accepted(now)
        )

    def sign(self, statement: Checkpoint | ExportEnd) -> Signed:
        """Sign the statement, which must name our `key_id`."""
        document = msgspec.json.encode(statement)
        return Signed(document, self._private.sign(document))


def read_checkpoint(signed: Signed, organization_id: str, trusted: PublicKeys) -> Checkpoint:
    """The checkpoint, its signature checked. Raises NotSigned."""
    try:
        found = msgspec.json.decode(signed.document, type=Checkpoint)
        bytes.fromhex(found.hash)
    except (msgspec.MsgspecError, UnicodeError, ValueError):
        raise NotSigned("It is not a checkpoint of a kind that this version knows.") from None
    check_signature(signed, found.key_id, trusted)
    if found.organization_id != organization_id:
        raise NotSigned(f"It is a checkpoint of {found.organization_id}.")
    return found


def check_signature(signed: Signed, key: str, trusted: PublicKeys) -> None:
    """Raises NotSigned unless the key named `key` is trusted and made the signature."""
    if key not in trusted:
        raise NotSigned(f"It is signed with the key {key!r}, which is not among the trusted ones.")
    try:
        trusted[key].verify(signed.signature, signed.document)
    except InvalidSignature:
        raise NotSigned(f"Its signature was not made with the key {key}.") from None


def split_signed(text: bytes, name: str) -> Signed:
    """The reverse of `Signed.to_json`. Raises NotSigned."""
    try:
        parts = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        signature = base64.b64decode(msgspec.json.decode(parts["signature"], type=str), validate=True)
        signed = Signed(bytes(parts[name]), signature)
    except (KeyError, msgspec.MsgspecError, binascii.Error, UnicodeError, ValueError):
        raise NotSigned(f"It does not look like a signed {name}.") from None
    if signed.to_json(name) != text.removesuffix(b"\n"):  # one spelling only: nothing can hide in another
        raise NotSigned(f"It is not spelt as a signed {name} is.")
    return signed


def key_id(key: Ed25519PublicKey) -> str:
    """The key's name: 16 hexadecimal digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def by_id(keys: Iterable[Ed25519PublicKey]) -> PublicKeys:
    """Keys by their id."""
    return {key_id(key): key for key in keys}


def to_pem(key: Ed25519PublicKey) -> str:
    """The key as `openssl` reads it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_public_keys(text: str) -> list[Ed25519PublicKey]:
    """Every PEM block of the text. Raises BadKey when there is none, or one that is no Ed25519 key."""
    end = "-----END PUBLIC KEY-----"
    found: list[Ed25519PublicKey] = []
    for block in text.split(end)[:-1]:
        try:
            key = load_pem_public_key((block[block.find("-----BEGIN") :] + end).encode())
        except (ValueError, UnsupportedAlgorithm):
            raise BadKey("It is not a public key in PEM.") from None
        if not isinstance(key, Ed25519PublicKey):
            raise BadKey("It is not an Ed25519 key.")
        found.append(key)
    if not found:
        raise BadKey("It holds no `BEGIN PUBLIC KEY`.")
    return found


def moment(at: datetime) -> str:
    """A time as it stands in documents: `2026-01-02T03:04:05.678901Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _private(text: Secret) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(master_bytes(text, "EDGEFLOW_AUDIT_KEY"))
