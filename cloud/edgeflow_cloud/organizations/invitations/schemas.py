"""HTTP bodies of invitations."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, SecretStr, StringConstraints

from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import InvitationIdField, TenantIdField, UserIdField
from edgeflow_cloud.kernel.principal import Role

Extra = Literal["users:manage", "devices:manage", "flows:manage", "resources:delete"]
Token = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class CreateInvitation(Body):
    """Whom to invite, as what."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=254)] = Field(
        examples=["grace@example.com"]
    )
    role: Role = Role.MEMBER
    extra_permissions: Annotated[list[Extra], Field(max_length=4)] = Field(default_factory=list[Extra])
    expires_in: Annotated[int, Field(ge=3_600, le=30 * 86_400)] = Field(
        7 * 86_400, description="Seconds until the link is dead."
    )


class InvitationDocument(Document):
    """An invitation that is still good."""

    id: InvitationIdField
    email: str
    role: Role
    extra_permissions: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime


class InvitationToken(Body):
    """The token of the link."""

    token: Token


class InvitationPreview(Document):
    """What the link leads to."""

    organization_name: str
    email: str
    has_account: bool = Field(
        description="Whether the address has an account; without one, make it on accepting."
    )


class AcceptInvitation(Body):
    """The token; and for somebody without an account, what the account needs."""

    model_config = ConfigDict(str_strip_whitespace=False)  # space at the ends of a password is part of it

    token: Token
    first_name: PersonName | None = None
    last_name: PersonName | None = None
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)] | None = None
    accept_terms: Literal[True] | None = Field(None, description="Send true to make an account.")


class AcceptedInvitation(Document):
    """Who joined what; log in next."""

    organization_id: TenantIdField
    organization_name: str
    user_id: UserIdField
    email: str
    role: Role
    registered: bool = Field(description="Whether the account was made just now.")
