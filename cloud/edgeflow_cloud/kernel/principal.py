"""Who is asking. Made once at the edge, handed down as an argument, checked again by the database."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import SessionId, TenantId


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


_PREFIX = {Kind.USER: ids.USER, Kind.DEVICE: ids.DEVICE, Kind.API_KEY: "key", Kind.SYSTEM: "sys"}


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

    def may(self, permission: str) -> bool:
        """True when the caller holds `permission` (`devices:manage` and the like)."""
        return permission in self.permissions

    @property
    def wire_id(self) -> str:
        """`usr_…`, `dev_…`, `key_…`: how the caller is named in answers and in the audit log."""
        return ids.encode(_PREFIX[self.kind], self.id)


def system_principal(tenant_id: TenantId) -> Principal:
    """The platform acting inside one organization, for work that no person asked for."""
    return Principal(tenant_id=tenant_id, kind=Kind.SYSTEM, id=UUID(int=0))
