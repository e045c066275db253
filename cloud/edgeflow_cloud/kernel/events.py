"""Facts that a subsystem announces: past tense, versioned, at least once, in the transaction of the change."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from edgeflow_cloud.kernel.ids import TenantId


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of every event. A subclass names itself (`device.connected`) and lists JSON-able fields.

    `changed()` names what a looking person should fetch again, as API paths: `devices/dev_…`.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    tenant_id: TenantId

    def changed(self) -> list[str]:
        return []

    def payload(self) -> dict[str, object]:
        """The event's own fields as JSON values; the tenant travels beside them."""
        return {
            item.name: _plain(getattr(self, item.name)) for item in fields(self) if item.name != "tenant_id"
        }


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value
