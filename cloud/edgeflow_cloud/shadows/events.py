"""What shadows announce."""

from dataclasses import dataclass
from typing import ClassVar

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import DeviceId


@dataclass(frozen=True, kw_only=True)
class ShadowUpdated(Event):
    """An update of `side` (`desired`, `reported`, or `deleted` for both) was accepted; it made `shadow_version`."""

    name: ClassVar[str] = "shadow.updated"
    device_id: DeviceId
    shadow_version: int
    side: str
    in_step: bool

    def changed(self) -> list[str]:
        return [f"devices/{ids.encode(ids.DEVICE, self.device_id)}/shadow"]
