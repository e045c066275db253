"""The second factor of the person who is logged in: set up, confirm, switch off, new recovery codes.

Each asks for the password once more, but for the confirmation, whose code says enough.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from edgeflow_cloud import identity
from edgeflow_cloud.auth import attempts, mails
from edgeflow_cloud.auth.model import Origin
from edgeflow_cloud.auth.service import person, record_failure, require_password
from edgeflow_cloud.identity import MfaSetup, User
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.errors import Conflict, Invalid
from edgeflow_cloud.kernel.ids import UserId
from edgeflow_cloud.kernel.principal import Principal


async def begin(context: Context, principal: Principal, *, password: str) -> MfaSetup:
    """A secret for an authenticator, which counts once it is confirmed. An earlier unconfirmed one is forgotten.

    Raises Invalid (`wrong_password`), Conflict (`mfa_already_enabled`), Forbidden (`people_only`), TooMany.
    """
    user, _ = await require_password(context, principal, password, field="password")
    async with context.db.tenant_tx(principal) as tx:
        user = await identity.lock_user(tx, user.id)
        return await identity.begin_mfa(tx, context.secrets, user, context.clock.now())


async def confirm(context: Context, principal: Principal, *, code: str) -> list[str]:
    """The authenticator works: codes are asked for from now on. Answers the recovery codes, shown this once.

    Raises Invalid (`invalid_mfa_code`), Conflict (`mfa_not_begun`, `mfa_already_enabled`), TooMany.
    """
    person(principal)
    user_id = UserId(principal.id)
    await attempts.spend_password_check(context, user_id)
    async with context.db.tenant_tx(principal) as tx:
        user = await identity.lock_user(tx, user_id)
        now = context.clock.now()
        return await identity.confirm_mfa(tx, context.secrets, principal, user, code, now)


async def disable(context: Context, principal: Principal, *, password: str, code: str) -> None:
    """Switch the second factor off, with the password and a code (a recovery code will do).

    Raises Invalid (`wrong_password`, `invalid_mfa_code`), Conflict (`mfa_not_enabled`), TooMany.
    """
    await require_password(context, principal, password, field="password")
    async with _proven(context, principal, code) as (tx, user):
        await identity.disable_mfa(tx, principal, user.id)
        await mails.notify(tx, context, user, mails.MFA_DISABLED, principal.ip_address)


async def renew_codes(context: Context, principal: Principal, *, password: str, code: str) -> list[str]:
    """Ten new recovery codes; the old ones are worth nothing from now on. Raises as `disable` does."""
    await require_password(context, principal, password, field="password")
    async with _proven(context, principal, code) as (tx, user):
        return await identity.renew_recovery_codes(tx, principal, user.id, context.clock.now())


@asynccontextmanager
async def _proven(
    context: Context, principal: Principal, code: str
) -> AsyncGenerator[tuple[Transaction, User]]:
    """A transaction of somebody who has shown a good code, which it uses up. A bad one is recorded."""
    try:
        async with context.db.tenant_tx(principal) as tx:
            user = await identity.lock_user(tx, UserId(principal.id))
            if not user.mfa_enabled:
                raise Conflict("Your account has no second factor that is on.", code="mfa_not_enabled")
            if await identity.take_code(tx, context.secrets, user.id, code, context.clock.now()) is None:
                raise identity.wrong_code("code")
            yield tx, user
    except Invalid as error:
        if error.code == "invalid_mfa_code":
            origin = Origin(principal.ip_address, principal.user_agent)
            await record_failure(
                context, UserId(principal.id), origin, principal.tenant_id, reason="mfa_code"
            )
        raise
