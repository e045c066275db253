"""HTTP bodies of the registry."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from edgeflow_cloud.devices.model import (
    LIMITS,
    Place,
    Status,
    Target,
)
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import DeviceIdField, ProjectIdField
from edgeflow_cloud.query_language import FieldType, Query

Name = Annotated[str, StringConstraints(min_length=1, max_length=LIMITS.name)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=LIMITS.tag, pattern=r"^[^\s,\"]+$")]
Tags = Annotated[list[Tag], Field(max_length=LIMITS.tags)]
Notes = Annotated[str, StringConstraints(max_length=LIMITS.notes)]


def _is_none(value: object) -> bool:
    return value is None


class PlaceBody(Body):
    """Where a device stands: a name, a point on the map, or both."""

    name: Name | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = Field(None, description="Degrees, WGS 84.")
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("Give latitude and longitude together, or neither.")
        return self

    def place(self) -> Place:
        """The same as a value."""
        return Place(self.name, self.latitude, self.longitude)


class PlaceDocument(Document):
    """Where a device stands."""

    name: str | None = Field(None, exclude_if=_is_none)
    latitude: float | None = Field(None, exclude_if=_is_none)
    longitude: float | None = Field(None, exclude_if=_is_none)


class CreateDevice(Body):
    """A device that gets its credentials by hand instead of by a code."""

    name: Name
    notes: Notes = ""
    tags: Tags = Field(default_factory=list[str])
    project_id: ProjectIdField | None = None
    place: PlaceBody | None = None


class UpdateDevice(Body):
    """What people may change; an absent field stays as it is."""

    name: Name | None = None
    notes: Notes | None = None
    tags: Tags | None = None
    project_id: ProjectIdField | None = Field(None, description="null takes it out of its project.")
    place: PlaceBody | None = Field(None, description="null forgets it.")


class TargetBody(Body):
    """Which devices: exactly one of these."""

    all: Literal[True] | None = None
    tags: Annotated[list[Tag], Field(min_length=1, max_length=50)] | None = Field(
        None, description="Devices that have all of them."
    )
    device_ids: Annotated[list[DeviceIdField], Field(min_length=1, max_length=1_000)] | None = None
    group: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = Field(
        None, description="Devices of the group of this name or id."
    )
    query: Query | None = Field(None, description="Devices that this query matches.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        ways = (self.all, self.tags, self.device_ids, self.group, self.query)
        if sum(given is not None for given in ways) != 1:
            raise ValueError("Name the devices in exactly one way: all, group, tags, device_ids or query.")
        return self

    def target(self) -> Target:
        """The same as a value."""
        return Target(
            self.all is True,
            None if self.tags is None else tuple(self.tags),
            None if self.device_ids is None else tuple(self.device_ids),
            self.group,
            self.query,
        )


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
    place: PlaceDocument | None = Field(None, exclude_if=_is_none)
    group: str | None = Field(None, exclude_if=_is_none, description="The first fixed group that it is in.")
    groups: list[str] | None = Field(
        None,
        exclude_if=_is_none,
        description="Names of its groups. Those by a query stand in the answer for one device only, not in lists.",
    )
    clone_suspected: bool | None = Field(
        None,
        exclude_if=_is_none,
        description="True when its key seems to be in two boxes, else absent; in the answer for one device only.",
    )
    clone_suspected_since: datetime | None = Field(None, exclude_if=_is_none)
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


class QueryFieldDocument(Document):
    """One field of the query language; a name that ends in `.*` stands for every path below it."""

    name: str
    type: FieldType
    description: str
    operators: list[str]
    values: list[str] | None = Field(None, exclude_if=_is_none)
    example: str


class QueryFields(Document):
    """What a query may ask."""

    items: list[QueryFieldDocument]


class CheckQuery(Body):
    """A query, perhaps not finished."""

    q: Annotated[str, StringConstraints(max_length=10_000, strip_whitespace=False)]


class QueryFault(Document):
    """Why a query is not understood, and where, from 1; `caret` is the line with a mark below the place."""

    message: str
    line: int
    column: int
    caret: str


class QueryVerdict(Document):
    """Whether it is understood, and how many devices it matches now."""

    valid: bool
    error: QueryFault | None = Field(None, exclude_if=_is_none)
    matches: int | None = Field(None, exclude_if=_is_none)
