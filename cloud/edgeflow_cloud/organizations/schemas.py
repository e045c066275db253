"""HTTP bodies of organizations."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, Field, StrictBool, StringConstraints

from edgeflow_cloud.identity import clean_timezone
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import TenantIdField, UserIdField
from edgeflow_cloud.kernel.principal import Role
from edgeflow_cloud.organizations.model import SLUG, Membership, State

METADATA_LIMIT = 16 * 1024


def _small(value: dict[str, object]) -> dict[str, object]:
    if len(msgspec.json.encode(value)) > METADATA_LIMIT:
        raise ValueError("Metadata may hold 16 KiB; keep what is larger elsewhere")
    return value


Timezone = Annotated[
    str, StringConstraints(max_length=64), AfterValidator(clean_timezone), Field(examples=["Europe/Berlin"])
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Extra = Literal["users:manage", "devices:manage", "flows:manage", "resources:delete"]
Slug = Annotated[
    str,
    StringConstraints(pattern=SLUG),
    Field(description="Small letters, digits and dashes; unique.", examples=["acme"]),
]
Metadata = Annotated[dict[str, object], AfterValidator(_small)]


class SettingsBody(Body):
    """Settings to change; null removes one."""

    default_timezone: Timezone | None = None
    notification_email: (
        Annotated[str, StringConstraints(max_length=254, pattern=r"^[!-~]+@[!-~]+$")] | None
    ) = None
    require_mfa: StrictBool | None = Field(
        None,
        description="Whether members need two-factor authentication; who has none can then only enable it.",
    )


class CreateOrganization(Body):
    """A new organization, of which you are the owner."""

    name: Name
    slug: Slug | None = None


class OrganizationBody(Body):
    """What to change; a field that is absent stays."""

    name: Name = ""
    slug: Slug = ""
    settings: SettingsBody = Field(default_factory=lambda: SettingsBody(require_mfa=None))
    metadata: Metadata = Field(default={}, description="Your own keys; replaced as a whole.")


class OrganizationDocument(Document):
    """An organization."""

    id: TenantIdField
    name: str
    slug: str
    plan: str
    settings: dict[str, object]
    metadata: dict[str, object]
    created_at: datetime
    updated_at: datetime
    state: State = Field(
        description="`suspended`: the operator closed it. `deleted`: it goes after `purge_after`."
    )
    deleted_at: datetime | None
    purge_after: datetime | None = Field(description="Until when an owner may restore it.")


class OwnOrganizationDocument(OrganizationDocument):
    """One of the caller's organizations, with the caller's role in it."""

    role: Role

    @classmethod
    def of(cls, membership: Membership) -> "OwnOrganizationDocument":
        own = OrganizationDocument.model_validate(membership.organization)
        return cls(**own.model_dump(), role=membership.role)


class MemberBody(Body):
    """The role from now on, and the extra permissions beside it."""

    role: Role
    extra_permissions: Annotated[list[Extra], Field(max_length=4)] = Field(default_factory=list[Extra])


class TransferBody(Body):
    """Who shall own the organization."""

    user_id: UserIdField


class UsageItem(Document):
    """How much of one resource is used."""

    resource: str
    used: int
    limit: int | None = Field(description="null: no limit")
    resets_at: datetime | None


class UsageDocument(Document):
    """What the plan allows and how much of it is used."""

    plan: str
    title: str
    features: list[str]
    items: list[UsageItem]


class MemberDocument(Document):
    """One person of the organization."""

    user_id: UserIdField
    email: str
    first_name: str
    last_name: str
    role: Role
    extra_permissions: list[str]
    mfa_enabled: bool
    joined_at: datetime
