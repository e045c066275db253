"""What the registry announces."""

from dataclasses import dataclass
from typing import ClassVar

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import DeviceId, GroupId


@dataclass(frozen=True, kw_only=True)
class DeviceEvent(Event):
    """A fact about one device."""

    device_id: DeviceId

    def changed(self) -> list[str]:
        return ["devices", f"devices/{ids.encode(ids.DEVICE, self.device_id)}"]


@dataclass(frozen=True, kw_only=True)
class GroupChanged(Event):
    """A group was made, changed or deleted, or its members are others."""

    name: ClassVar[str] = "group.changed"
    group_id: GroupId

    def changed(self) -> list[str]:
        return ["groups", f"groups/{ids.encode(ids.GROUP, self.group_id)}", "devices"]


@dataclass(frozen=True, kw_only=True)
class DeviceCreated(DeviceEvent):
    """It is in the registry now."""

    name: ClassVar[str] = "device.created"


@dataclass(frozen=True, kw_only=True)
class DeviceUpdated(DeviceEvent):
    """Its name, notes, tags or facts changed."""

    name: ClassVar[str] = "device.updated"


@dataclass(frozen=True, kw_only=True)
class DeviceDeleted(DeviceEvent):
    """It is gone, and everything that belonged to it."""

    name: ClassVar[str] = "device.deleted"


@dataclass(frozen=True, kw_only=True)
class DeviceKeyRotated(DeviceEvent):
    """It has a new key; its open tunnel must end once the old key does."""

    name: ClassVar[str] = "device.key_rotated"


@dataclass(frozen=True, kw_only=True)
class DeviceConnected(DeviceEvent):
    """A hub accepted its tunnel."""

    name: ClassVar[str] = "device.connected"
    epoch: int


@dataclass(frozen=True, kw_only=True)
class DeviceDisconnected(DeviceEvent):
    """Its tunnel ended, or it fell silent."""

    name: ClassVar[str] = "device.disconnected"
    epoch: int
    reason: str
