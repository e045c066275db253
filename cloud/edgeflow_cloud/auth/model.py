"""Sessions, and the numbers that auth promises."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from edgeflow_cloud.identity import User
from edgeflow_cloud.kernel.errors import Unauthenticated
from edgeflow_cloud.kernel.ids import SessionId, TenantId, UserId
from edgeflow_cloud.kernel.principal import Kind, Principal

ACCESS_LIFE: Final = timedelta(minutes=15)
REFRESH_LIFE: Final = timedelta(days=30)
"""A session that is not refreshed for so long ends."""
GRACE: Final = timedelta(seconds=10)
"""A token that was just replaced still gets its successor: two tabs, or an answer lost on the way."""

BAD_TOKEN: Final = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class EndReason(StrEnum):
    """Why a session was ended."""

    LOGOUT = "logout"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a password
    PASSWORD_RESET = "password_reset"  # noqa: S105 - likewise
    TOKEN_REUSED = "token_reused"  # noqa: S105 - likewise
    REVOKED = "revoked"
    """By the person, from another session."""
    OPERATOR = "operator"
    """By the instance's operator."""


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in of one person into one organization; its tokens are derived, never stored."""

    tenant_id: TenantId
    id: SessionId
    user_id: UserId
    seed: bytes
    generation: int
    rotated_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    last_seen_at: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        return self.ended_at is not None or self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from."""

    ip_address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a log-in or refresh hands out."""

    access_token: str
    refresh_token: str
    principal: Principal
    user: User
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class MfaRequired:
    """The password is right, and the account has a second factor: no session before its code."""

    message: str = (
        "Your account has a second factor. Log in once more with mfa_code: the six digits that your "
        "authenticator shows, or a recovery code."
    )


@dataclass(frozen=True, slots=True)
class LivingSession:
    """One of a person's sessions as the list shows it. `last_seen_at` is right to the minute."""

    session_id: SessionId
    current: bool
    organization_id: TenantId
    organization_name: str
    ip_address: str | None
    user_agent: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


def claimed(tenant_id: TenantId, user_id: UserId, origin: Origin | None = None) -> Principal:
    """Somebody who is named and not yet believed: holds no permission."""
    return Principal(
        tenant_id=tenant_id,
        kind=Kind.USER,
        id=user_id,
        ip_address=origin.ip_address if origin else None,
        user_agent=origin.user_agent if origin else None,
    )


class SessionEnded(Unauthenticated):
    """The session of this token is over, or its owner is no longer a member."""

    code = "session_ended"

    def __init__(self) -> None:
        super().__init__("This session has ended. Log in again.", headers=BAD_TOKEN)


class InvalidToken(Unauthenticated):
    """The token is not one that we signed for this use, or its time is over."""

    code = "invalid_token"

    def __init__(self, reason: str = "", detail: str = "This token is not valid here. Log in again.") -> None:
        super().__init__(detail, headers=BAD_TOKEN)
        self.reason = reason
        """What was wrong with it, for those who look from inside: the answer does not say."""


class TokenExpired(InvalidToken):
    """The token was good and is too old."""

    code = "token_expired"
