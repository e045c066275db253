"""HTTP bodies of keys."""

from datetime import datetime

from pydantic import Field

from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import DeviceKeyIdField

DAY = 86_400


class RotateKey(Body):
    """How long the device has to change over."""

    overlap_seconds: int = Field(
        DAY,
        ge=0,
        le=30 * DAY,
        description="For so long the keys that it has are good beside the new one. 0: they are dead at once, and the "
        "open tunnel ends, as when a key has leaked.",
    )


class RotatedKey(Document):
    """The new key."""

    api_key: str = Field(description="Shown this once. Give it to the device before the old key ends.")
    old_key_valid_until: datetime


class KeyDocument(Document):
    """A key that is good; the key itself is kept by nobody but the device."""

    key_id: DeviceKeyIdField
    prefix: str = Field(description="How it begins, to tell keys apart.")
    created_at: datetime
    expires_at: datetime | None = Field(description="null: it is good until it is rotated or revoked.")


class KeyList(Document):
    """The good keys, the newest first."""

    items: list[KeyDocument]
