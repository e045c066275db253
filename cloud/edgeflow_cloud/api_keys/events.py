"""What API keys announce."""

from dataclasses import dataclass
from typing import ClassVar

from edgeflow_cloud.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ApiKeysChanged(Event):
    """A key was made or revoked."""

    name: ClassVar[str] = "api_keys.changed"

    def changed(self) -> list[str]:
        return ["api-keys"]
