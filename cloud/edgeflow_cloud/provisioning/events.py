"""What provisioning announces."""

from dataclasses import dataclass
from typing import ClassVar

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import BatchId, DeviceId, ProvisioningCodeId


@dataclass(frozen=True, kw_only=True)
class CodeEvent(Event):
    """A fact about one code."""

    code_id: ProvisioningCodeId

    def changed(self) -> list[str]:
        return ["provisioning-codes", f"provisioning-codes/{ids.encode(ids.PROVISIONING_CODE, self.code_id)}"]


@dataclass(frozen=True, kw_only=True)
class CodeCreated(CodeEvent):
    """A code can be shown by a device now."""

    name: ClassVar[str] = "provisioning_code.created"


@dataclass(frozen=True, kw_only=True)
class CodeDeleted(CodeEvent):
    """Nobody can show it any more, neither for a new device nor to claim its own again."""

    name: ClassVar[str] = "provisioning_code.deleted"


@dataclass(frozen=True, kw_only=True)
class _CodeUsed(CodeEvent):
    device_id: DeviceId

    def changed(self) -> list[str]:
        return [*super().changed(), "devices", f"devices/{ids.encode(ids.DEVICE, self.device_id)}"]


@dataclass(frozen=True, kw_only=True)
class DeviceProvisioned(_CodeUsed):
    """A device showed an unused code and is in the registry now."""

    name: ClassVar[str] = "device.provisioned"


@dataclass(frozen=True, kw_only=True)
class DeviceReclaimed(_CodeUsed):
    """The same hardware showed its used code again: it has a fresh key, and its old one is dead."""

    name: ClassVar[str] = "device.reclaimed"


@dataclass(frozen=True, kw_only=True)
class _BatchEvent(Event):
    batch_id: BatchId

    def changed(self) -> list[str]:
        return ["provisioning-codes"]


@dataclass(frozen=True, kw_only=True)
class BatchCreated(_BatchEvent):
    """Many codes can be shown by devices now."""

    name: ClassVar[str] = "provisioning_batch.created"


@dataclass(frozen=True, kw_only=True)
class BatchRevoked(_BatchEvent):
    """What was unused of them is gone."""

    name: ClassVar[str] = "provisioning_batch.revoked"


@dataclass(frozen=True, kw_only=True)
class DeviceUnclaimed(Event):
    """The organization let go of a device: its key is dead, and whoever holds its code may claim it."""

    name: ClassVar[str] = "device.unclaimed"
    device_id: DeviceId

    def changed(self) -> list[str]:
        return ["devices", f"devices/{ids.encode(ids.DEVICE, self.device_id)}", "provisioning-codes"]


@dataclass(frozen=True, kw_only=True)
class DeviceClaimed(_CodeUsed):
    """A device that another organization had released is in this registry now."""

    name: ClassVar[str] = "device.claimed"
