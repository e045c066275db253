"""Organizations, memberships, and the published table of roles and permissions."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

from edgeflow_cloud.kernel.ids import TenantId, UserId
from edgeflow_cloud.kernel.principal import Role

PERMISSIONS: Final = {
    "organization:view": "See the organization's name, plan and settings",
    "organization:manage": "Change the organization's name and settings, and export it",
    "organization:own": "Hand the organization over, delete it, and restore it",
    "users:view": "See who belongs to the organization",
    "users:manage": "Invite and remove members",
    "projects:view": "See projects",
    "projects:manage": "Add and change projects",
    "api_keys:view": "See which API keys there are",
    "api_keys:manage": "Make and revoke API keys",
    "devices:view": "See devices, their state and measurements",
    "devices:manage": "Add, change and command devices",
    "flows:view": "See flows and deployments",
    "flows:manage": "Change and deploy flows",
    "resources:delete": "Delete devices, projects, flows and deployments",
    "billing:view": "See plan, usage and invoices",
    "billing:manage": "Change the plan and how it is paid",
    "audit:view": "Read the audit log",
}
"""Every permission that a role can give, with what it allows."""

EXTRA: Final = frozenset({"users:manage", "devices:manage", "flows:manage", "resources:delete"})
"""What a member may be given beside the role."""

_VIEWER: Final = frozenset({"organization:view", "users:view", "projects:view", "devices:view", "flows:view"})
_MEMBER: Final = _VIEWER | {"projects:manage", "devices:manage", "flows:manage"}
_OWNER: Final = frozenset(PERMISSIONS)
_ADMIN: Final = _OWNER - {"billing:manage", "organization:own"}

SLUG: Final = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"


class State(StrEnum):
    """Whether an organization lets anybody in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """The operator closed it. Nothing is lost."""
    DELETED = "deleted"
    """An owner deleted it, and an owner may restore it until `purge_after`."""


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant. `settings` and `metadata` are JSON objects; `version` is its ETag."""

    id: TenantId
    name: str
    slug: str
    plan: str
    settings: dict[str, object]
    metadata: dict[str, object]
    version: int
    created_at: datetime
    updated_at: datetime
    suspended_at: datetime | None = None
    deleted_at: datetime | None = None
    purge_after: datetime | None = None

    @property
    def state(self) -> State:
        """A suspension outweighs a deletion: nobody restores what the operator has closed."""
        if self.suspended_at is not None:
            return State.SUSPENDED
        return State.ACTIVE if self.deleted_at is None else State.DELETED


@dataclass(frozen=True, slots=True)
class Membership:
    """One organization of one person, and the role there."""

    organization: Organization
    role: Role


@dataclass(frozen=True, slots=True)
class Member:
    """One person of an organization."""

    user_id: UserId
    email: str
    first_name: str
    last_name: str
    role: Role
    extra_permissions: list[str]
    mfa_enabled: bool
    joined_at: datetime


def permissions_of(role: Role, extra: Iterable[str] = ()) -> frozenset[str]:
    """What a member may do: the role's permissions, and those of the four extra ones that were given."""
    return _role_permissions(role) | (EXTRA & set(extra))


def _role_permissions(role: Role) -> frozenset[str]:
    match role:
        case Role.OWNER:
            return _OWNER
        case Role.ADMIN:
            return _ADMIN
        case Role.MEMBER:
            return _MEMBER
        case Role.VIEWER:
            return _VIEWER
        case _:
            assert_never(role)


def permissions_while_deleted() -> frozenset[str]:
    """What an owner may do in the grace time: look, take an export along, restore."""
    return frozenset(name for name in _OWNER if name.startswith("organization:"))


def slug_from(name: str) -> str:
    """A slug made of an organization's name: `Müller & Söhne` -> `muller-sohne`; `organization` when
    nothing is left.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].rstrip("-") or "organization"


def merged(settings: dict[str, object], change: dict[str, object]) -> dict[str, object]:
    """Settings after a change: given keys replace, null removes, the rest stays."""
    return {name: value for name, value in (settings | change).items() if value is not None}
