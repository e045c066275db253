"""HTTP bodies of /auth."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, StrictBool, StringConstraints

from edgeflow_cloud.auth.model import Entry
from edgeflow_cloud.identity import User, clean_timezone
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import SessionIdField, TenantIdField, UserIdField
from edgeflow_cloud.kernel.principal import Principal, Role
from edgeflow_cloud.organizations import SLUG, Organization


def _accepted(value: bool) -> bool:
    if not value:
        raise ValueError("Accept the terms to make an account: send true")
    return value


PersonName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=254),
    Field(examples=["ada@example.com"]),
]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1024, examples=["four words in a row"])]
Slug = Annotated[
    str,
    StringConstraints(pattern=SLUG),
    Field(
        description="Small letters, digits and dashes; unique. Made of the name when absent.",
        examples=["acme"],
    ),
]
Token = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class WithPassword(Body):
    """Space at the ends of a password is part of it."""

    model_config = ConfigDict(str_strip_whitespace=False)


class RegisterBody(WithPassword):
    """A new person with a new organization."""

    email: Email
    password: Password
    first_name: PersonName
    last_name: PersonName
    organization_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    organization_slug: Slug | None = None
    accept_terms: Annotated[StrictBool, AfterValidator(_accepted)]
    subscribe_newsletter: StrictBool = False


class LoginBody(WithPassword):
    """Address and password; `organization_id` for who belongs to several, `mfa_code` for who uses one."""

    email: Email
    password: Password
    organization_id: TenantIdField | None = None
    mfa_code: Annotated[str, StringConstraints(max_length=32)] | None = Field(
        None,
        description="Six digits of an authenticator, or a recovery code. Ignored for accounts without MFA.",
        examples=["123456"],
    )


class RefreshBody(Body):
    """The refresh token of the last answer."""

    refresh_token: Token


class ProfileBody(Body):
    """What to change; a field that is absent stays."""

    first_name: PersonName = ""
    last_name: PersonName = ""
    locale: (
        Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)] | None
    ) = Field(None, examples=["en-GB"])
    timezone: Annotated[str, StringConstraints(max_length=64), AfterValidator(clean_timezone)] | None = Field(
        None, examples=["Europe/Berlin"]
    )


class SwitchBody(Body):
    """The organization to enter."""

    organization_id: TenantIdField


class ChangePasswordBody(WithPassword):
    """The password as it is, and as it shall be."""

    current_password: Password
    new_password: Password


class RegisteredUser(Document):
    """The new person."""

    id: UserIdField
    email: str
    first_name: str
    last_name: str
    email_verified: bool


class RegisteredOrganization(Document):
    """The new organization."""

    id: TenantIdField
    name: str
    slug: str
    plan: str


class RegisterDocument(Document):
    """Answer to a registration; log in next."""

    user: RegisteredUser
    organization: RegisteredOrganization

    @classmethod
    def of(cls, user: User, organization: Organization) -> "RegisterDocument":
        return cls(
            user=RegisteredUser.model_validate(user),
            organization=RegisteredOrganization.model_validate(organization),
        )


class SessionUser(RegisteredUser):
    """Who is logged in, and where."""

    organization_id: TenantIdField
    role: Role


class EntryDocument(Document):
    """Tokens of a session: the access token for fifteen minutes, the refresh token for the next pair."""

    access_token: str
    refresh_token: str
    session_id: SessionIdField
    user: SessionUser

    @classmethod
    def of(cls, entry: Entry) -> "EntryDocument":
        return cls(
            access_token=entry.access_token,
            refresh_token=entry.refresh_token,
            session_id=entry.session_id,
            user=SessionUser.model_validate(_session_user(entry.user, entry.principal)),
        )


class MfaRequiredDocument(Document):
    """The password is right and there is no session yet: log in once more with `mfa_code`."""

    requires_mfa: Literal[True] = True
    message: str


class ProfileDocument(SessionUser):
    """The caller: who, in which organization, with which permissions there."""

    permissions: list[str]
    mfa_enabled: bool
    recovery_codes_left: int | None = Field(description="Null for an account without MFA.")
    locale: str | None
    timezone: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, user: User, principal: Principal, recovery_codes_left: int | None) -> "ProfileDocument":
        return cls.model_validate(
            _session_user(user, principal)
            | {
                "mfa_enabled": user.mfa_enabled,
                "recovery_codes_left": recovery_codes_left,
                "permissions": sorted(principal.permissions),
                "locale": user.locale,
                "timezone": user.timezone,
                "created_at": user.created_at,
                "updated_at": user.updated_at,
            }
        )


class LoggedOutDocument(Document):
    """The session has ended."""

    message: str = "You are logged out."


class PasswordChangedDocument(Document):
    """The password is changed; `ended_sessions` others were logged out."""

    message: str = "Your password is changed."
    ended_sessions: int


class LivingSessionDocument(Document):
    """One of your sessions. `current` is the one that asks; `last_seen_at` is right to the minute."""

    session_id: SessionIdField
    current: bool
    organization_id: TenantIdField
    organization_name: str
    ip_address: str | None
    user_agent: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


def _session_user(user: User, principal: Principal) -> dict[str, object]:
    return {
        "id": user.id,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email_verified": user.email_verified,
        "organization_id": principal.tenant_id,
        "role": principal.role,
    }
