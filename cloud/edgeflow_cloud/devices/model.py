"""What a device is, and how its key is made. Pure."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import DeviceId, GroupId, ProjectId, TenantId

KEY_PREFIX = "efk_"
SHOWN_OF_KEY = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that people may write of one device: characters of a name (also of a place's), of its notes and of a
    tag, and how many tags.
    """

    name: int = 200
    notes: int = 10_000
    tag: int = 64
    tags: int = 50


LIMITS = Limits()


class Status(StrEnum):
    """Whether the device's tunnel is open. There is no third state: what ails a device is an alert, not a status."""

    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device stands: as people say it, and for a map (degrees, WGS 84; both or neither)."""

    name: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One entry of the registry, with its presence. `hardware` and `network` are what the device said of itself."""

    tenant_id: TenantId
    device_id: DeviceId
    name: str
    notes: str
    tags: tuple[str, ...]
    status: Status
    last_seen_at: datetime | None
    connected_at: datetime | None
    negotiated_at: datetime | None = None
    """When it first named capabilities; a client of the field never does."""
    firmware_version: str | None
    agent_version: str | None
    hardware: dict[str, object] = field(default_factory=dict[str, object])
    network: dict[str, object] = field(default_factory=dict[str, object])
    project_id: ProjectId | None = None
    place: Place | None = None
    groups: tuple[str, ...] | None = None
    """Names of the groups that it is in, fixed ones first, in the order in which it came; None for none."""
    group: str | None = None
    """The first fixed one."""
    clone_suspected_since: datetime | None = None
    """Since when its key seems to be in two boxes; only of one device that was asked for (`SUSPECTS`)."""
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def clone_suspected(self) -> bool | None:
        """True when its key seems to be in two boxes, None when it does not."""
        return True if self.clone_suspected_since is not None else None

    @property
    def is_field_client(self) -> bool:
        """Whether it has connected, and never named capabilities."""
        return self.connected_at is not None and self.negotiated_at is None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which devices a list wants. None means any; `search` is a part of the name, or a tag; all of `tags` are on it;
    `query` is of the query language.
    """

    status: Status | None = None
    search: str | None = None
    project_id: ProjectId | None = None
    tags: tuple[str, ...] = ()
    group_id: GroupId | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """How a list is sorted: by `by`, a name that the query language's SORTS has; ties go by id."""

    by: str = "name"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Which devices a deed is for, in exactly one way: all, those that have every one of `tags`, those named, those
    of a group (its name or `grp_…`), or those that a query of the query language matches.
    """

    all: bool = False
    tags: tuple[str, ...] | None = None
    device_ids: tuple[DeviceId, ...] | None = None
    group: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Tagging:
    """What came of tagging many devices: how many the target named, and how many of them had to change."""

    matched: int
    changed: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A device whose tunnel was just accepted by hub `hub_id`; `agent_version` is what it said of itself.

    `negotiated`: its `connect` named capabilities; the first such time is kept (`Device.negotiated_at`).
    """

    tenant_id: TenantId
    device_id: DeviceId
    agent_version: str | None = None
    negotiated: bool = False


class Fence(NamedTuple):
    """One connection of a device, as a fencing token: what came over it counts while its `epoch` is the newest."""

    tenant_id: TenantId
    device_id: DeviceId
    epoch: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A sign of life at `seen_at`, under the `epoch` of its connection; an older epoch's counts for nothing."""

    tenant_id: TenantId
    device_id: DeviceId
    epoch: int
    seen_at: datetime


def make_key() -> str:
    """A new device key: `efk_` and 256 random bits."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def hash_key(key: str) -> bytes:
    """How a key is stored and looked up. The key is random and long, so a plain SHA-256 cannot be guessed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def no_such_device() -> NotFound:
    """The one answer for a missing device and for somebody else's."""
    return NotFound("There is no such device in this organization.", code="device_not_found")
