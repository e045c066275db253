"""What the instance's operator does for people: on its machine, with no session of anybody."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from edgeflow_cloud import identity, organizations
from edgeflow_cloud.auth import mails, queries, standing
from edgeflow_cloud.auth.model import EndReason
from edgeflow_cloud.auth.registration import new_password
from edgeflow_cloud.identity import User
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.errors import Conflict, NotFound
from edgeflow_cloud.kernel.ids import UserId
from edgeflow_cloud.kernel.principal import Principal, system_principal
from edgeflow_cloud.organizations import Membership


@dataclass(frozen=True, slots=True)
class Account:
    """A person of the instance, with the organizations they belong to."""

    user: User
    memberships: list[Membership]


async def list_accounts(context: Context, text: str) -> list[Account]:
    """People whose address holds `text`, at most two hundred, the oldest first."""
    async with context.db.system_tx("user list") as tx:
        users = await identity.find_users(tx, text)
        return [Account(user, await organizations.memberships_of(tx, user.id)) for user in users]


async def reset_password_of(context: Context, email: str) -> str:
    """Give a person a new password, which is answered and nowhere else; all their sessions end. Raises NotFound."""
    password = new_password()
    fresh = await identity.hash_password(password)

    async def change(tx: Transaction, principal: Principal, user: User) -> None:
        await identity.change_password(
            tx, principal, fresh, context.clock.now(), user_id=user.id, how="operator"
        )

    await _for_person(context, email, change, mails.PASSWORD_CHANGED)
    return password


async def disable_mfa_of(context: Context, email: str) -> None:
    """Switch a person's second factor off; all their sessions end. Raises NotFound, Conflict (`mfa_not_enabled`)."""

    async def change(tx: Transaction, principal: Principal, user: User) -> None:
        if not user.mfa_enabled:
            raise Conflict(f"{user.email} has no second factor that is on.", code="mfa_not_enabled")
        await identity.disable_mfa(tx, principal, user.id, how="operator")

    await _for_person(context, email, change, mails.MFA_DISABLED)


async def _for_person(
    context: Context,
    email: str,
    change: Callable[[Transaction, Principal, User], Awaitable[None]],
    notice: str,
) -> None:
    """Do `change` as the platform, recorded in the organization that the person joined first."""
    async with context.db.system_tx("operator") as tx:
        found = await identity.find_credentials(tx, email)
        memberships = await organizations.memberships_of(tx, found.user_id) if found else []
        if found is None or not memberships:
            raise NotFound(
                f"Nobody with the address {email} belongs to an organization here: `edgeflow-cloud user list` "
                "shows who does."
            )
        user = await identity.lock_user(tx, UserId(found.user_id))
        await change(tx, system_principal(memberships[0].organization.id), user)
        now = context.clock.now()
        ended = await queries.end_sessions_of_user(tx, user.id, None, EndReason.OPERATOR, now)
        await mails.notify(tx, context, user, notice)
    await standing.forget(context, *ended)
