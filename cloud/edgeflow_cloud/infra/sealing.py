"""Values that are stored sealed: AES-256-GCM under the master key, whose id stands in front.

A sealed value is bound to a `purpose` (`totp usr_…`): moved to another row or table it does not open. Layout: one byte
of version, 12 of the key's id, 12 of nonce, then the ciphertext with its tag.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edgeflow_cloud.infra.secret import Secret
from edgeflow_cloud.infra.secrets import Secrets, master_bytes

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context

_VERSION: Final = b"\x01"
_ID: Final = 12
_NONCE: Final = 12
_HEAD: Final = 1 + _ID + _NONCE


class CannotOpen(Exception):
    """The value was sealed with a key that is gone, for another purpose, or was changed."""


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What a subsystem keeps sealed, for the rotation of the master key.

    `reseal(context)` seals every value anew that is not sealed with the key in use, in small transactions, and answers
    how many those were. It may be run twice.
    """

    what: str
    reseal: "Callable[[Context], Awaitable[int]]"


def seal(secrets: Secrets, value: bytes, *, purpose: str) -> bytes:
    """Seal `value` with the master key in use."""
    key = secrets.master_keys.current
    nonce = os.urandom(_NONCE)
    head = _VERSION + key.id.encode() + nonce
    return head + _cipher(key.text).encrypt(nonce, value, head[: 1 + _ID] + purpose.encode())


def unseal(secrets: Secrets, sealed: bytes, *, purpose: str, now: datetime) -> bytes:
    """Open what `seal` made for the same purpose. Raises CannotOpen."""
    key_id = sealed[1 : 1 + _ID].decode("ascii", "replace")
    key = secrets.master_keys.find(key_id, now) if sealed[:1] == _VERSION else None
    if key is None:
        raise CannotOpen(
            f"A stored value was sealed with the master key {key_id!r}, which this installation does not have. "
            "Put it into EDGEFLOW_MASTER_OLD_KEYS, or restore secrets/ in the data folder from the same backup."
        )
    try:
        return _cipher(key.text).decrypt(
            sealed[1 + _ID : _HEAD], sealed[_HEAD:], sealed[: 1 + _ID] + purpose.encode()
        )
    except InvalidTag:
        raise CannotOpen(f"A sealed value was changed, or belongs elsewhere than to {purpose}.") from None


def is_current(secrets: Secrets, sealed: bytes) -> bool:
    """Whether the value is sealed with the master key in use."""
    return sealed[: 1 + _ID] == _VERSION + secrets.master_keys.current.id.encode()


@lru_cache(maxsize=8)
def _cipher(text: Secret) -> AESGCM:
    """The master key has other uses too: each has a key of its own, derived."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"edgeflow sealed values 1")
    return AESGCM(derived.derive(master_bytes(text)))
