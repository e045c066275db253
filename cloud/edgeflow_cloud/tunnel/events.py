"""What the tunnel announces beside the registry's `device.connected` and `device.disconnected`."""

from dataclasses import dataclass
from typing import ClassVar

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import DeviceId


@dataclass(frozen=True, kw_only=True)
class DeviceCloneSuspected(Event):
    """Two boxes took over from each other with one key, `takeovers` times in a short while."""

    name: ClassVar[str] = "device.clone_suspected"
    device_id: DeviceId
    takeovers: int

    def changed(self) -> list[str]:
        return [f"devices/{ids.encode(ids.DEVICE, self.device_id)}"]
