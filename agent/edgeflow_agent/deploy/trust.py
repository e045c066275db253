"""Which keys may sign flows here, and whether a release may be used.

Keys are pinned the first time the cloud says them: with the provisioning answer, or at the first connection of a device
that was given its credentials by hand. Later ones count only when a pinned key endorses them, so that neither a cloud
that was broken into without its signing key, nor anybody on the way, can bring a key of their own. To begin anew a
person provisions the device again.

While keys are pinned, what the cloud sends unsigned is refused, unless the device's own setting allows it. Whoever
stands at the device may put any flow on it: the local API's own flows are not asked for a signature.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edgeflow_protocol.bundle import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    FlowKey,
    decode_base64,
    endorsed_message,
    key_id_of,
    signed_message,
)

from ..state import StoreUnreadable, Vault
from .store import Release

_log = logging.getLogger(__name__)
_STORE = "flow-keys"
_MOST_KEYS = 32


class NotTrusted(Exception):
    """The release is not used. `str(error)` is a sentence."""


class UnknownKey(NotTrusted):
    """It is signed with a key that is not pinned; the cloud may have a newer one to tell of."""


class Trust:
    """The pinned keys, sealed in the state folder."""

    def __init__(self, vault: Vault, *, allow_unsigned: bool) -> None:
        self._vault = vault
        self._allow_unsigned = allow_unsigned
        self._broken = False
        self.keys: tuple[FlowKey, ...] = ()

    def load(self) -> None:
        """Read what is pinned, at start. Raises StateError on disk."""
        try:
            stored = self._vault.open(_STORE, "pinned flow keys")
            keys = () if stored is None else tuple(msgspec.json.decode(stored, type=list[FlowKey]))
        except (StoreUnreadable, msgspec.DecodeError) as error:
            broken = self._vault.set_aside(_STORE)
            # Until the cloud has named its keys again nothing unsigned is taken either: damage opens no door.
            self._broken = True
            _log.error("%s They are now %s, and are asked of the cloud again.", error, broken.name)
            return
        self.keys = keys

    @property
    def demands_signatures(self) -> bool:
        """Whether what comes from the cloud must be signed."""
        return (bool(self.keys) or self._broken) and not self._allow_unsigned

    def pin(self, offered: Sequence[FlowKey]) -> None:
        """The device was provisioned: these keys count and no others. Raises StateError, then the old ones do."""
        keys = tuple(key for key in offered[:_MOST_KEYS] if _public(key) is not None)
        if keys or self.keys:
            self._keep(keys)

    def follow(self, offered: Sequence[FlowKey]) -> list[FlowKey]:
        """The cloud names its keys. Returns those that were not believed. Raises StateError, then nothing changed.

        The first ones are pinned; after that a new one needs the endorsement of one that is pinned, and a pinned one
        that is not named any more goes, as long as another stays.
        """
        offered = [key for key in offered[:_MOST_KEYS] if _public(key) is not None]
        if not offered:
            return []
        if not self.keys:
            self._keep(tuple(offered))
            return []
        believed = {key.key_id: key for key in self.keys}
        waiting = [key for key in offered if key.key_id not in believed]
        while found := [key for key in waiting if _endorsed(key, believed.values())]:
            believed |= {key.key_id: key for key in found}
            waiting = [key for key in waiting if key not in found]
        retired = {key.key_id for key in self.keys if key.retired}  # Once retired is retired for good.
        named = {
            key.key_id: msgspec.structs.replace(key, retired=key.retired or key.key_id in retired)
            for key in offered
        }
        keys = tuple(named[key_id] for key_id in believed if key_id in named)
        if keys and keys != self.keys:
            self._keep(keys)
        return waiting

    def check(self, release: Release) -> None:
        """Whether the cloud's release may be used. Raises NotTrusted."""
        if not release.signature:
            if self.demands_signatures:
                raise NotTrusted(
                    "The flow is not signed, and this device takes only signed ones from its cloud. Send it as a "
                    "bundle (POST /api/v1/flow-bundles makes one), or set "
                    "EDGEFLOW_AGENT_ALLOW_UNSIGNED_FLOWS=true on the device."
                )
            return
        key = next((key for key in self.keys if key.key_id == release.key_id), None)
        if key is None:
            raise UnknownKey(
                f"The flow is signed with the key {release.key_id[:64]}, which is not pinned on this device. If the "
                "organization's key was replaced by hand, provision the device again."
            )
        if key.retired:
            raise UnknownKey(
                f"The flow is signed with the key {key.key_id}, which was retired. Sign it again."
            )
        signature = decode_base64(release.signature, SIGNATURE_BYTES)
        public = _public(key)
        if signature is None or public is None:
            raise NotTrusted("The flow's signature is not a signature.")
        try:
            public.verify(signature, signed_message(release.bytes))
        except InvalidSignature as error:
            raise NotTrusted(
                "The flow's signature does not fit: it was changed after it was signed."
            ) from error

    def _keep(self, keys: tuple[FlowKey, ...]) -> None:
        self._vault.seal(_STORE, msgspec.json.encode(keys))
        self.keys = keys
        self._broken = False
        _log.info(
            "Flows must be signed with: %s.", ", ".join(key.key_id for key in keys if not key.retired) or "-"
        )


def _public(key: FlowKey) -> Ed25519PublicKey | None:
    """The key, None when it is none, or not the one that it is called."""
    raw = decode_base64(key.public_key, PUBLIC_KEY_BYTES)
    if raw is None or key_id_of(raw) != key.key_id:
        return None
    return Ed25519PublicKey.from_public_bytes(raw)


def _endorsed(key: FlowKey, by: Iterable[FlowKey]) -> bool:
    elder = next((other for other in by if other.key_id == key.endorsed_by), None)
    public = None if elder is None else _public(elder)
    raw, signature = (
        decode_base64(key.public_key, PUBLIC_KEY_BYTES),
        decode_base64(key.endorsement, SIGNATURE_BYTES),
    )
    if public is None or raw is None or signature is None:
        return False
    try:
        public.verify(signature, endorsed_message(raw))
    except InvalidSignature:
        return False
    return True
