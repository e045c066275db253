"""Credentials at rest: AES-256-GCM under a key made by PBKDF2 from a random key file and the machine's id.

What it guards against is a copied store without its key file or on another machine; whoever may read the
whole folder on the machine itself may read the credentials, as the agent does. Files: `credentials` and
`credentials.key`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import StoreUnreadable
from .folder import StateFolder

_STORE = "credentials"
_KEY = "credentials.key"
_KEY_BYTES = 32
# The secret is 32 random bytes, not a password: the rounds only have to bind it to the salt.
_ROUNDS = 100_000
_MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


class Credentials(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who this device is to its cloud. Times are RFC 3339, empty when unknown."""

    device_id: str
    api_key: str
    provisioned_at: str = ""
    expires_at: str = ""
    replaced: str = ""
    """Fingerprint of the environment's credentials when these were stored over them; empty when there were
    none.
    """

    def __repr__(self) -> str:
        return f"Credentials(device_id={self.device_id!r}, api_key=***)"


class _Sealed(msgspec.Struct, frozen=True):
    """The store's file: everything but `content` is readable, and authenticated with it."""

    version: int
    rounds: int
    nonce: str
    content: str


class Vault:
    """Keeps sealed files in the state folder: the one `Credentials`, and what else must not be read in a copy."""

    def __init__(self, folder: StateFolder, machine_id: str | None = None) -> None:
        self._folder = folder
        self._machine_id = machine_id or read_machine_id()
        self._derived: tuple[bytes, int, bytes] | None = None

    def load(self) -> Credentials | None:
        """What was stored; None when nothing is. Raises StoreUnreadable when it does not open, StateError on
        disk.
        """
        clear = self.open(_STORE, "credentials")
        if clear is None:
            return None
        try:
            return msgspec.json.decode(clear, type=Credentials)
        except msgspec.DecodeError as error:
            raise self._unreadable("credentials") from error

    def save(self, credentials: Credentials) -> None:
        """Store them; when this returns they survive a power cut. Raises StateError, and then the old ones
        stand.
        """
        self.seal(_STORE, msgspec.json.encode(credentials))

    def open(self, name: str, what: str) -> bytes | None:
        """The content of the sealed file `name`, None if there is none. `what` it is, for the sentence.

        Raises StoreUnreadable when it does not open, StateError on disk.
        """
        stored = self._folder.read(name)
        if stored is None:
            return None
        secret = self._folder.read(_KEY)
        if secret is None or len(secret) != _KEY_BYTES:
            raise StoreUnreadable(
                f"The {what} in {self._folder.path} cannot be opened: their key file {_KEY} is "
                "missing or damaged. "
                "Provision the device again: edgeflow-agent provision CODE."
            )
        try:
            sealed = msgspec.json.decode(stored, type=_Sealed)
            nonce, content = base64.b64decode(sealed.nonce), base64.b64decode(sealed.content)
            key = self._derive(secret, min(max(sealed.rounds, 1), 10_000_000))
            return AESGCM(key).decrypt(nonce, content, _bound(sealed, name))
        except (InvalidTag, ValueError) as error:
            raise self._unreadable(what) from error

    def seal(self, name: str, clear: bytes) -> None:
        """Write the sealed file `name`, durable and whole. Raises StateError, and then the old one stands."""
        secret = self._folder.read(_KEY)
        if secret is None or len(secret) != _KEY_BYTES:
            secret = os.urandom(_KEY_BYTES)
            self._folder.write(_KEY, secret)
        nonce = os.urandom(12)
        sealed = _Sealed(1, _ROUNDS, base64.b64encode(nonce).decode(), "")
        content = AESGCM(self._derive(secret, _ROUNDS)).encrypt(nonce, clear, _bound(sealed, name))
        sealed = msgspec.structs.replace(sealed, content=base64.b64encode(content).decode())
        self._folder.write(name, msgspec.json.encode(sealed))

    def _unreadable(self, what: str) -> StoreUnreadable:
        return StoreUnreadable(
            f"The {what} in {self._folder.path} cannot be opened: somebody changed the file, or "
            "it was copied "
            "from another machine. Provision the device again: edgeflow-agent provision CODE."
        )

    def set_aside(self, name: str = _STORE) -> Path:
        """Move a store that does not open out of the way; returns where it is now."""
        return self._folder.set_aside(name)

    def _derive(self, secret: bytes, rounds: int) -> bytes:
        known = self._derived
        if known is not None and known[:2] == (secret, rounds):
            return known[2]
        salt = hashlib.sha256(b"edgeflow-agent\0" + self._machine_id.encode()).digest()
        key = hashlib.pbkdf2_hmac("sha256", secret, salt, rounds, dklen=32)
        self._derived = (secret, rounds, key)  # Half a second on a small board, and asked for at each change.
        return key


def read_machine_id() -> str:
    """What names this machine: its machine-id, else the MAC address of an interface."""
    for path in _MACHINE_ID_FILES:
        try:
            text = path.read_text().strip()
        except (OSError, UnicodeDecodeError):
            continue
        if text:
            return text
    return f"mac-{uuid.getnode():012x}"


def _bound(sealed: _Sealed, name: str) -> bytes:
    """What a file is authenticated with: moved over another one it does not open."""
    return f"edgeflow-{name} {sealed.version} {sealed.rounds}".encode()
