"""What flow keys announce."""

from dataclasses import dataclass
from typing import ClassVar

from edgeflow_cloud.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class FlowKeysChanged(Event):
    """A key was made."""

    name: ClassVar[str] = "flow_keys.changed"

    def changed(self) -> list[str]:
        return ["flow-keys"]
