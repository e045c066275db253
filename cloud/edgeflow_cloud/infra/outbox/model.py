"""What was announced, and who reacts to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from edgeflow_cloud.infra.jobs import Job
from edgeflow_cloud.kernel.ids import TenantId


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """When an event called `event` (`device.connected`; `*` for all) was announced, run `job`.

    The job's payload is an Announced: `Announced.from_payload(payload)`.
    """

    event: str
    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """An event as a reaction sees it. `payload` holds the event's own fields as JSON values."""

    event_id: UUID
    tenant_id: TenantId
    name: str
    version: int
    occurred_at: datetime
    payload: dict[str, object]

    def to_payload(self) -> dict[str, object]:
        return {
            "event_id": str(self.event_id),
            "tenant_id": str(self.tenant_id),
            "name": self.name,
            "version": self.version,
            "occurred_at": self.occurred_at.isoformat(),
            "payload": self.payload,
        }

    @classmethod
    def from_payload(cls, payload: dict[str, object]) -> "Announced":
        """Read a reaction job's payload. Raises KeyError or ValueError for anything else."""
        return cls(
            event_id=UUID(str(payload["event_id"])),
            tenant_id=TenantId(UUID(str(payload["tenant_id"]))),
            name=str(payload["name"]),
            version=int(str(payload["version"])),
            occurred_at=datetime.fromisoformat(str(payload["occurred_at"])),
            payload=cast("dict[str, object]", payload["payload"]),
        )


def live_channel(tenant_id: TenantId) -> str:
    """The bus channel of one organization's live hints: `{"changed": [path, …]}` as JSON."""
    return f"live:{tenant_id}"
