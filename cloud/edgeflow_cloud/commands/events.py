"""What commands announce."""

from dataclasses import dataclass
from typing import ClassVar

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import CommandId, DeviceId


@dataclass(frozen=True, kw_only=True)
class CommandEvent(Event):
    """A fact about one command."""

    device_id: DeviceId
    command_id: CommandId

    def changed(self) -> list[str]:
        return [
            f"devices/{ids.encode(ids.DEVICE, self.device_id)}/commands",
            f"commands/{ids.encode(ids.COMMAND, self.command_id)}",
        ]


@dataclass(frozen=True, kw_only=True)
class CommandCreated(CommandEvent):
    """Somebody asked for it; `status` is `queued` or `sent`."""

    name: ClassVar[str] = "command.created"
    action: str
    status: str


@dataclass(frozen=True, kw_only=True)
class CommandSent(CommandEvent):
    """It left the queue and is on its way to the device."""

    name: ClassVar[str] = "command.sent"


@dataclass(frozen=True, kw_only=True)
class CommandFinished(CommandEvent):
    """It has its one final `status`: done, failed, expired, cancelled or unknown."""

    name: ClassVar[str] = "command.finished"
    action: str
    status: str
