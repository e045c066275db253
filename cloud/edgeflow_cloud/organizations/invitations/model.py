"""What an invitation is, and its token. Pure."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import InvitationId, TenantId
from edgeflow_cloud.kernel.principal import Role

LIFE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody is asked to join. The token was in the mail; its hash is enough to know it again."""

    tenant_id: TenantId
    id: InvitationId
    email: str
    role: Role
    extra_permissions: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime


def make_token() -> str:
    """256 random bits for one link."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """How a token is kept and found."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def no_such_invitation() -> NotFound:
    """The one answer for a missing invitation and for another organization's."""
    return NotFound("There is no such invitation in this organization.", code="invitation_not_found")


def not_good() -> NotFound:
    """The one answer for a token that is unknown, used, withdrawn, or too old."""
    return NotFound(
        "This invitation is not good (any more): it was used, withdrawn or replaced, or it has expired. Ask "
        "for a new one.",
        code="invitation_not_good",
    )
