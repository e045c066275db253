"""HTTP bodies of shadows."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from edgeflow_cloud.infra.http import Document
from edgeflow_cloud.kernel.ids import DeviceIdField


class UpdateShadow(BaseModel):
    """`desired` from people, `reported` from the device itself; objects are merged, null deletes a key.

    Unknown fields are refused by name when people send them and ignored when a device does.
    """

    model_config = ConfigDict(extra="allow")

    desired: dict[str, object] | None = None
    reported: dict[str, object] | None = None
    version: int | None = Field(
        None, ge=0, description="The version that the change is based on; another one is answered by 409."
    )


class ShadowMetadata(Document):
    """Dotted path of each leaf -> when a change last named it (RFC 3339). Flat, in both halves."""

    desired: dict[str, str]
    reported: dict[str, str]


class ShadowDocument(Document):
    """The shadow, as people and devices read it."""

    device_id: DeviceIdField
    version: int = Field(description="Rises by one with each accepted update, of either half.")
    desired: dict[str, object]
    reported: dict[str, object]
    delta: dict[str, object] = Field(description="The leaves of desired that differ from reported.")
    metadata: ShadowMetadata
    updated_at: datetime
