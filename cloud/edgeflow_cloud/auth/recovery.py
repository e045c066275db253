"""Proof by mail: an address is verified, a forgotten password replaced."""

from edgeflow_cloud import audit, identity, organizations
from edgeflow_cloud.auth import attempts, mails, queries, standing
from edgeflow_cloud.auth.model import EndReason, Origin, claimed
from edgeflow_cloud.auth.service import choose, person
from edgeflow_cloud.identity import LinkOwner, LinkPurpose
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.errors import Conflict
from edgeflow_cloud.kernel.ids import UserId
from edgeflow_cloud.kernel.principal import Principal


async def verify_email(context: Context, origin: Origin, token: str) -> str:
    """The link of a verification mail was opened: the address is its person's, `user.email_verify`. Answers it.

    The place becomes a familiar one. Raises Invalid (`invalid_link`), Forbidden (`not_a_member`), TooMany.
    """
    await attempts.spend_link(context, origin.ip_address)
    owner, principal = await _owner(context, origin, token, LinkPurpose.VERIFY_EMAIL)
    async with context.db.tenant_tx(principal) as tx:
        await identity.use_link(tx, token, LinkPurpose.VERIFY_EMAIL, context.clock.now())
        await audit.record(
            tx, principal, "user.email_verify", "user", principal.wire_id, new={"email": owner.email}
        )
    await attempts.remember_place(context, owner.email, origin.ip_address)
    return owner.email


async def resend_verification(context: Context, principal: Principal) -> None:
    """One more verification mail. Raises Conflict (`already_verified`), Forbidden (`people_only`), TooMany."""
    person(principal)
    user_id = UserId(principal.id)
    await attempts.spend_verification(context, user_id)
    async with context.db.tenant_tx(principal) as tx:
        user = await identity.get_user(tx, user_id)
        if user.email_verified:
            raise Conflict("Your address is verified already.", code="already_verified")
        await mails.ask_verification(tx, user_id)


async def forget_password(context: Context, origin: Origin, email: str) -> None:
    """A link for a new password goes to whoever has this address: the answer, and its time, are the same if nobody has.

    Raises TooMany, by the caller's address.
    """
    await attempts.spend_forgotten(context, origin.ip_address)
    async with context.db.lookup() as tx:
        await mails.ask_reset(tx, email, origin)


async def reset_password(context: Context, origin: Origin, *, token: str, password: str) -> int:
    """Replace a password by the link of a mail; every session of the person ends, and the number of them is answered.

    It proves the address too. Where that was never proven before, a second factor goes: whoever set it up had not
    shown that the address is theirs. Raises Invalid (`invalid_link`, `weak_password`), Forbidden (`not_a_member`),
    TooMany.
    """
    await attempts.spend_link(context, origin.ip_address)
    owner, principal = await _owner(context, origin, token, LinkPurpose.RESET_PASSWORD)
    identity.check_password(password, email=owner.email, field="new_password")
    fresh = await identity.hash_password(password)
    async with context.db.tenant_tx(principal) as tx:
        user = await identity.lock_user(tx, owner.user_id)
        now = context.clock.now()
        was_verified = await identity.use_link(tx, token, LinkPurpose.RESET_PASSWORD, now)
        await identity.change_password(tx, principal, fresh, now, how="reset_link")
        if user.mfa_enabled and not was_verified:
            await identity.disable_mfa(tx, principal, user.id, how="address_proven_first")
        ended = await queries.end_sessions_of_user(tx, user.id, None, EndReason.PASSWORD_RESET, now)
        await mails.notify(tx, context, user, mails.PASSWORD_CHANGED, origin.ip_address)
    await standing.forget(context, *ended)
    await attempts.remember_place(context, owner.email, origin.ip_address)
    return len(ended)


async def _owner(
    context: Context, origin: Origin, token: str, purpose: LinkPurpose
) -> tuple[LinkOwner, Principal]:
    """Whose good link it is, in the organization that the person joined first."""
    async with context.db.lookup() as tx:
        owner = await identity.find_link(tx, token, purpose, context.clock.now())
        tenant_id = choose(await organizations.memberships_of(tx, owner.user_id), None)
    return owner, claimed(tenant_id, owner.user_id, origin)
