"""HTTP bodies of the registry."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

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


class TargetBody(Body):
    """Which devices: exactly one of these."""

    all: Literal[True] | None = None
    tags: Annotated[list[Tag], Field(min_length=1, max_length=50)] | None = Field(
        None, description="Devices that have all of them."
    )
    device_ids: Annotated[list[DeviceIdField], Field(min_length=1, max_length=1_000)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(given is not None for given in (self.all, self.tags, self.device_ids)) != 1:
            raise ValueError("Name the devices in exactly one way: all, tags or device_ids.")
        return self


class TagDevices(Body):
    """Tags to give to many devices, and to take from them."""

    target: TargetBody
    add: Tags = Field(default_factory=list[str])
    remove: Tags = Field(default_factory=list[str])


class TaggingDocument(Document):
    """How many devices the target named, and how many of them changed (or would, in a dry run)."""

    matched: int
    changed: int


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
