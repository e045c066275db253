"""Mails about an account: the jobs that send them, and the notices that go with a change.

A link is made where it is sent, in a job: so no person's transaction can make one, and asking for one costs the same
whether or not somebody has that address.
"""

from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from edgeflow_cloud import audit, identity, organizations
from edgeflow_cloud.auth import attempts
from edgeflow_cloud.auth.model import Origin, claimed
from edgeflow_cloud.identity import LINK_LIFE, LinkPurpose, User
from edgeflow_cloud.infra import mail
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.jobs import Job, enqueue
from edgeflow_cloud.infra.mail import Letter
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import UserId

_FOLDER: Final = Path(__file__).parent / "letters"
_VERIFY: Final = Letter("auth.verify_email", _FOLDER)
_RESET: Final = Letter("auth.reset_password", _FOLDER)
_EXISTS: Final = Letter("auth.account_exists", _FOLDER)
_NOTICE: Final = Letter("auth.security_notice", _FOLDER)

PASSWORD_CHANGED: Final = "The password was changed"  # noqa: S105 - a sentence, not a password
MFA_DISABLED: Final = "The second factor was switched off"
RECOVERY_CODE_USED: Final = "A recovery code was used to log in"


async def ask_verification(tx: Transaction, user_id: UserId) -> None:
    """When `tx` commits, send the person a link that verifies the address."""
    await enqueue(tx, SEND_VERIFICATION, {"user_id": str(user_id)}, once=f"verify:{user_id}")


async def ask_reset(tx: Transaction, email: str, origin: Origin) -> None:
    """When `tx` commits, send a link for a new password to whoever has this address; nothing if nobody has."""
    payload: dict[str, object] = {
        "email": email,
        "ip_address": origin.ip_address,
        "user_agent": origin.user_agent,
    }
    await enqueue(tx, SEND_RESET, payload)


async def tell_of_account(tx: Transaction, context: Context, email: str) -> None:
    """When `tx` commits, tell the owner of the address that somebody tried to register with it; once a day."""
    if await attempts.may_tell_of_account(context, email):
        values: dict[str, object] = {"site": _site(context), "url": f"{context.settings.public_url}/login"}
        await mail.send(tx, context, _EXISTS, email, values, good_for=timedelta(days=1))


async def notify(
    tx: Transaction, context: Context, user: User, what: str, ip_address: str | None = None
) -> None:
    """Tell a person of a change to the safety of the account, when `tx` commits."""
    now = context.clock.now()
    values: dict[str, object] = {
        "what": what,
        "site": _site(context),
        "when": f"{now.day} {now:%B %Y, %H:%M} UTC",
        "address": ip_address,
        "url": f"{context.settings.public_url}/login",
    }
    await mail.send(tx, context, _NOTICE, user.email, values, good_for=timedelta(days=7))


async def _send_verification(context: Context, payload: dict[str, object]) -> None:
    async with context.db.system_tx("verification mail") as tx:
        try:
            user = await identity.get_user(tx, UserId(UUID(str(payload["user_id"]))))
        except NotFound:
            return
        if user.email_verified:
            return
        purpose = LinkPurpose.VERIFY_EMAIL
        token = await identity.make_link(tx, user.id, purpose, context.clock.now())
        values: dict[str, object] = {
            "site": _site(context),
            "url": _link(context, "verify-email", token),
            "hours": round(LINK_LIFE[purpose].total_seconds() / 3600),
        }
        await mail.send(tx, context, _VERIFY, user.email, values, good_for=LINK_LIFE[purpose])


async def _send_reset(context: Context, payload: dict[str, object]) -> None:
    """Records `user.password_reset` in the organization that the person joined first."""
    email = str(payload["email"])
    address, agent = payload.get("ip_address"), payload.get("user_agent")
    origin = Origin(str(address) if address else None, str(agent) if agent else None)
    async with context.db.system_tx("password reset mail") as tx:
        found = await identity.find_credentials(tx, email)
        if found is None or not await attempts.may_send_reset(context, found.user_id):
            return
        user = await identity.get_user(tx, found.user_id)
        purpose = LinkPurpose.RESET_PASSWORD
        token = await identity.make_link(tx, user.id, purpose, context.clock.now())
        values: dict[str, object] = {
            "site": _site(context),
            "url": _link(context, "reset-password", token),
            "minutes": round(LINK_LIFE[purpose].total_seconds() / 60),
        }
        await mail.send(tx, context, _RESET, user.email, values, good_for=LINK_LIFE[purpose])
        for membership in (await organizations.memberships_of(tx, user.id))[:1]:
            principal = claimed(membership.organization.id, user.id, origin)
            await audit.record(tx, principal, "user.password_reset", "user", ids.encode(ids.USER, user.id))


def _link(context: Context, page: str, token: str) -> str:
    """A page of the console. The token stands behind the #, which no browser sends: no proxy's log has it."""
    return f"{context.settings.public_url}/{page}#token={token}"


def _site(context: Context) -> str:
    return urlsplit(context.settings.public_url).netloc


SEND_VERIFICATION = Job(
    name="auth.send_verification", handler=_send_verification, timeout=timedelta(minutes=1)
)
SEND_RESET = Job(name="auth.send_reset", handler=_send_reset, timeout=timedelta(minutes=1))
