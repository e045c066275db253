"""What is announced of keys, beside the registry's `device.key_rotated`."""

from dataclasses import dataclass
from typing import ClassVar

from edgeflow_cloud.devices.events import DeviceEvent


@dataclass(frozen=True, kw_only=True)
class DeviceKeyRevoked(DeviceEvent):
    """One of its keys is dead; the tunnel that was opened with it must end."""

    name: ClassVar[str] = "device.key_revoked"
