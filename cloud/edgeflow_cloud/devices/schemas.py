"""HTTP bodies of the registry."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from edgeflow_cloud.devices.model import Status
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import DeviceIdField, ProjectIdField

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\s,\"]+$")]
Tags = Annotated[list[Tag], Field(max_length=50)]
Notes = Annotated[str, StringConstraints(max_length=10_000)]


class CreateDevice(Body):
    """A device that gets its credentials by hand instead of by a code."""

    name: Name
    notes: Notes = ""
    tags: Tags = Field(default_factory=list[str])
    project_id: ProjectIdField | None = None


class UpdateDevice(Body):
    """What people may change; an absent field stays as it is."""

    name: Name | None = None
    notes: Notes | None = None
    tags: Tags | None = None
    project_id: ProjectIdField | None = Field(None, description="null takes it out of its project.")


class DeviceDocument(Document):
    """One entry of the registry."""

    device_id: DeviceIdField
    name: str
    status: Status
    last_seen_at: datetime | None
    connected_at: datetime | None
    firmware_version: str | None
    agent_version: str | None
    hardware: dict[str, object]
    network: dict[str, object]
    tags: list[str]
    project_id: ProjectIdField | None
    notes: str
    version: int
    created_at: datetime
    updated_at: datetime


class CreatedDevice(DeviceDocument):
    """A new device with its key."""

    api_key: str = Field(description="Shown this once. The device sends it as `api_key` when it connects.")


class DeviceStatusDocument(Document):
    """Whether it is there, and since when."""

    device_id: DeviceIdField
    status: Status
    last_seen_at: datetime | None
    connected_at: datetime | None
    firmware_version: str | None
    agent_version: str | None
