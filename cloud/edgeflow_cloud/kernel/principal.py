"""Who is asking. Made once at the edge, handed down as an argument, checked again by the database."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import ProjectId, SessionId, TenantId


class Kind(StrEnum):
    """What sort of caller: a person, a program with a key, a device, or the platform itself."""

    USER = "user"
    API_KEY = "api_key"
    DEVICE = "device"
    SYSTEM = "system"


class Role(StrEnum):
    """A member's role in an organization, as published."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


_PREFIX = {Kind.USER: ids.USER, Kind.DEVICE: ids.DEVICE, Kind.API_KEY: ids.API_KEY, Kind.SYSTEM: "sys"}


class Restriction(StrEnum):
    """Why a person may do less than their role says, or nothing. It travels among the permissions, so that every
    cache and ticket that carries those carries it too; no route asks for one.
    """

    MFA_REQUIRED = "restricted:mfa_required"
    ORGANIZATION_DELETED = "restricted:organization_deleted"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request or frame, inside one organization (`tenant_id`)."""

    tenant_id: TenantId
    kind: Kind
    id: UUID
    role: Role | None = None
    permissions: frozenset[str] = field(default_factory=frozenset[str])
    session_id: SessionId | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    projects: frozenset[ProjectId] | None = None
    """The projects that a program is limited to; None: no limit. The database holds to it (`tenant_tx`)."""

    def may(self, permission: str) -> bool:
        """True when the caller holds `permission` (`devices:manage` and the like)."""
        return permission in self.permissions

    @property
    def restriction(self) -> Restriction | None:
        """Why the caller may do less than usual, or None."""
        return next((item for item in Restriction if item in self.permissions), None)

    @property
    def wire_id(self) -> str:
        """`usr_…`, `dev_…`, `key_…`: how the caller is named in answers and in the audit log."""
        return ids.encode(_PREFIX[self.kind], self.id)


def system_principal(tenant_id: TenantId) -> Principal:
    """The platform acting inside one organization, for work that no person asked for."""
    return Principal(tenant_id=tenant_id, kind=Kind.SYSTEM, id=UUID(int=0))
