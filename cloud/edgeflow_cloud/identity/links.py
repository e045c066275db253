"""One-use links that prove a mail address: a random token in the mail, its hash in the database."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from edgeflow_cloud.identity import queries
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import UserId


class LinkPurpose(StrEnum):
    """What a link is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password


LINK_LIFE: Final = {
    LinkPurpose.VERIFY_EMAIL: timedelta(hours=24),
    LinkPurpose.RESET_PASSWORD: timedelta(hours=1),
}


@dataclass(frozen=True, slots=True)
class LinkOwner:
    """Whose good link it is."""

    user_id: UserId
    email: str


async def make_link(tx: Transaction, user_id: UserId, purpose: LinkPurpose, now: datetime) -> str:
    """A new token for a person, good once and for `LINK_LIFE`. `tx` is a system transaction."""
    token = secrets.token_urlsafe(32)
    await queries.insert_mail_link(
        tx, _hash(token), user_id, purpose.value, expires_at=now + LINK_LIFE[purpose], now=now
    )
    return token


async def find_link(tx: Transaction, token: str, purpose: LinkPurpose, now: datetime) -> LinkOwner:
    """Whose link it is; it stays good. Raises Invalid (`invalid_link`) alike for unknown, used and old ones."""
    row = await queries.find_mail_link(tx, _hash(token), purpose.value, now)
    if row is None:
        raise invalid_link()
    return LinkOwner(UserId(row["user_id"]), row["email"])


async def use_link(tx: Transaction, token: str, purpose: LinkPurpose, now: datetime) -> bool:
    """Use the link up; the address is proven by it. Answers whether it had been proven before.

    Raises Invalid (`invalid_link`). Other links of the person for the same purpose end with it.
    """
    row = await queries.use_mail_link(tx, _hash(token), purpose.value, now)
    if row is None:
        raise invalid_link()
    return bool(row["was_verified"])


def invalid_link() -> Invalid:
    """One answer for all links that are not good."""
    return Invalid(
        "This link is not good any more: it was used, or is too old. Ask for a new one.", code="invalid_link"
    )


def _hash(token: str) -> bytes:
    """256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
