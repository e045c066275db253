"""HTTP bodies of flow keys and bundles."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from edgeflow_cloud.flow_keys.model import OVERLAP_DEFAULT, OVERLAP_MAXIMUM, FlowKey
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_protocol.bundle import MAX_FLOW_ID, MAX_VERSION, encode_base64

FlowId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_FLOW_ID)]


class DeviceFlowKey(Document):
    """A key as a device pins it."""

    key_id: str
    public_key: str = Field(description="Ed25519, base64.")
    endorsed_by: str = Field(description="The key before, which signed this one; empty for the first.")
    endorsement: str = Field(description="That signature, base64.")
    retired: bool = Field(description="Nothing that it signed is taken any more.")


class DeviceFlowKeys(Document):
    """All keys, the oldest first."""

    flow_keys: list[DeviceFlowKey]


class FlowKeyDocument(DeviceFlowKey):
    """A key as people see it."""

    signs: bool = Field(description="It is the one that signs.")
    created_by: str
    created_at: datetime
    retires_at: datetime | None


class FlowKeysDocument(Document):
    """All keys, the oldest first."""

    items: list[FlowKeyDocument]


class RotateFlowKey(Body):
    """How long the old key's signatures stay good."""

    overlap_seconds: int = Field(
        int(OVERLAP_DEFAULT.total_seconds()),
        ge=0,
        le=int(OVERLAP_MAXIMUM.total_seconds()),
        description="For how long devices still take what the old key signed. Flows that run are not stopped by it.",
    )


class SignFlow(Body):
    """A flow that is to be signed."""

    flow_id: FlowId = Field(description="The flow's id on the device.", examples=["line-3-counter"])
    version: int | Annotated[str, StringConstraints(min_length=1, max_length=MAX_VERSION)] | None = Field(
        None, description="A name for this version. Without one it is called after its content."
    )
    definition: dict[str, object] = Field(
        description="The flow: `nodes` and `connections`.",
        examples=[{"nodes": [{"id": "n1", "type": "inject", "config": {}}], "connections": []}],
    )


class BundleReference(Document):
    """What goes into `desired.flows.{flow_id}.bundle`."""

    url: str = Field(description="Good for seven days; a device that comes later gets a new one by itself.")
    sha256: str
    signature: str
    key_id: str


class FlowBundleDocument(Document):
    """A signed flow in the object store. Desire `{flow_id: {version, enabled: true, bundle}}` to run it."""

    flow_id: str
    version: int | str
    size: int = Field(description="Bytes.")
    sha256: str
    signature: str
    key_id: str
    url: str
    bundle: BundleReference


class BundleAddress(Document):
    """A fresh address."""

    url: str
    sha256: str
    expires_in: int = Field(description="Seconds.")


def show_key(key: FlowKey, now: datetime) -> DeviceFlowKey:
    """A key as a device pins it."""
    return DeviceFlowKey(
        key_id=key.key_id,
        public_key=encode_base64(key.public_key),
        endorsed_by=key.endorsed_by,
        endorsement=encode_base64(key.endorsement),
        retired=key.is_retired(now),
    )
