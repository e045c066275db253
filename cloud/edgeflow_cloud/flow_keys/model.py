"""A key, a signed bundle, and how one key names the next. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edgeflow_cloud.kernel.errors import Conflict, NotFound
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_protocol.bundle import Version, endorsed_message, key_id_of, signed_message

OVERLAP_DEFAULT = timedelta(days=30)
OVERLAP_MAXIMUM = timedelta(days=365)
ADDRESS_LIFE = timedelta(days=7)
"""How long a bundle's address is good; a device that comes later asks for a new one by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowKey:
    """A key as it may be shown. `endorsed_by` is empty for an organization's first."""

    tenant_id: TenantId
    key_id: str
    public_key: bytes
    endorsed_by: str
    endorsement: bytes
    created_by: str
    created_at: datetime
    retires_at: datetime | None

    def is_retired(self, now: datetime) -> bool:
        """Whether devices take nothing signed with it any more."""
        return self.retires_at is not None and self.retires_at <= now


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key that was just made: the only time its private half is in the clear."""

    key_id: str
    public_key: bytes
    private_key: bytes
    endorsed_by: str
    endorsement: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedBundle:
    """A flow as devices take it; `data` is what lies in the object store under `sha256`."""

    flow_id: str
    version: Version
    data: bytes
    sha256: str
    signature: bytes
    key_id: str


def make_key(before: FlowKey | None, private_before: bytes | None) -> NewKey:
    """A new key, endorsed by the one before it if there is one."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    endorsement = b""
    if private_before is not None:
        endorsement = Ed25519PrivateKey.from_private_bytes(private_before).sign(endorsed_message(public))
    return NewKey(
        key_id=key_id_of(public),
        public_key=public,
        private_key=private.private_bytes_raw(),
        endorsed_by=before.key_id if before else "",
        endorsement=endorsement,
    )


def sign(private_key: bytes, data: bytes) -> bytes:
    """The signature of a bundle's bytes."""
    return Ed25519PrivateKey.from_private_bytes(private_key).sign(signed_message(data))


def blob_key(tenant_id: TenantId, sha256: str) -> str:
    """Where a bundle lies in the object store."""
    return f"flow-bundles/{tenant_id}/{sha256}.json"


def no_such_bundle() -> NotFound:
    """The one answer for a bundle that is not there and for another organization's."""
    return NotFound(
        "There is no such flow bundle in this organization. Make it again: POST /flow-bundles.",
        code="flow_bundle_not_found",
    )


def rotated_meanwhile() -> Conflict:
    """Somebody else made a new key in this moment."""
    return Conflict(
        "The key was rotated by somebody else just now. Look at the keys again.", code="flow_key_rotated"
    )
