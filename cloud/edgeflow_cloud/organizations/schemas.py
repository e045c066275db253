"""HTTP bodies of organizations."""

from datetime import datetime
from typing import Annotated

import msgspec
from pydantic import AfterValidator, Field, StringConstraints

from edgeflow_cloud.identity import clean_timezone
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import TenantIdField, UserIdField
from edgeflow_cloud.kernel.principal import Role
from edgeflow_cloud.organizations.model import SLUG

METADATA_LIMIT = 16 * 1024


def _small(value: dict[str, object]) -> dict[str, object]:
    if len(msgspec.json.encode(value)) > METADATA_LIMIT:
        raise ValueError("Metadata may hold 16 KiB; keep what is larger elsewhere")
    return value


Timezone = Annotated[
    str, StringConstraints(max_length=64), AfterValidator(clean_timezone), Field(examples=["Europe/Berlin"])
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
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


class OrganizationBody(Body):
    """What to change; a field that is absent stays."""

    name: Name = ""
    slug: Slug = ""
    settings: SettingsBody = SettingsBody()
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


class OwnOrganizationDocument(OrganizationDocument):
    """One of the caller's organizations, with the caller's role in it."""

    role: Role


class MemberDocument(Document):
    """One person of the organization."""

    user_id: UserIdField
    email: str
    first_name: str
    last_name: str
    role: Role
    extra_permissions: list[str]
    joined_at: datetime
