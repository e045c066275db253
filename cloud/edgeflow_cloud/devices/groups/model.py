"""Groups of devices: fixed ones have members, dynamic ones a query that says who is in. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import GroupId, ProjectId, TenantId


class GroupKind(StrEnum):
    """Whether its devices are listed or asked for."""

    FIXED = "fixed"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """One group. `device_count` is None where it was not counted, and for a query that does not hold any more."""

    tenant_id: TenantId
    id: GroupId
    name: str
    description: str
    kind: GroupKind
    query: str | None
    project_id: ProjectId | None
    device_count: int | None
    version: int
    created_at: datetime
    updated_at: datetime


def no_such_group() -> NotFound:
    """The one answer for a missing group and for another organization's."""
    return NotFound("There is no such group in this organization.", code="group_not_found")
