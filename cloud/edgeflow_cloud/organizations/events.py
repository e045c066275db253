"""What organizations announce."""

from dataclasses import dataclass
from typing import ClassVar

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import ProjectId


@dataclass(frozen=True, kw_only=True)
class OrganizationEvent(Event):
    """A fact about the organization `tenant_id`."""

    def changed(self) -> list[str]:
        return ["organizations", f"organizations/{ids.encode(ids.ORGANIZATION, self.tenant_id)}"]


@dataclass(frozen=True, kw_only=True)
class OrganizationUpdated(OrganizationEvent):
    """Its name or settings changed."""

    name: ClassVar[str] = "organization.updated"


@dataclass(frozen=True, kw_only=True)
class MembersChanged(OrganizationEvent):
    """Somebody joined, left, was invited, or has another role."""

    name: ClassVar[str] = "organization.members_changed"

    def changed(self) -> list[str]:
        own = f"organizations/{ids.encode(ids.ORGANIZATION, self.tenant_id)}"
        return [f"{own}/members", f"{own}/invitations"]


@dataclass(frozen=True, kw_only=True)
class OrganizationSuspended(OrganizationEvent):
    """The operator closed it: tunnels of its devices must end."""

    name: ClassVar[str] = "organization.suspended"


@dataclass(frozen=True, kw_only=True)
class OrganizationResumed(OrganizationEvent):
    """The operator opened it again."""

    name: ClassVar[str] = "organization.resumed"


@dataclass(frozen=True, kw_only=True)
class OrganizationDeleted(OrganizationEvent):
    """An owner deleted it: tunnels of its devices must end. It can still be restored."""

    name: ClassVar[str] = "organization.deleted"


@dataclass(frozen=True, kw_only=True)
class OrganizationRestored(OrganizationEvent):
    """An owner restored it within the grace time."""

    name: ClassVar[str] = "organization.restored"


@dataclass(frozen=True, kw_only=True)
class ProjectChanged(Event):
    """A project was made, changed or deleted."""

    name: ClassVar[str] = "project.changed"
    project_id: ProjectId

    def changed(self) -> list[str]:
        return ["projects", f"projects/{ids.encode(ids.PROJECT, self.project_id)}"]
