"""How people come in: they register, or the first start makes an owner."""

import secrets
from typing import Final

from edgeflow_cloud import identity, organizations
from edgeflow_cloud.auth import attempts, mails
from edgeflow_cloud.auth.model import Origin
from edgeflow_cloud.identity import NewUser, User
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.settings import Registration
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Forbidden
from edgeflow_cloud.kernel.ids import TenantId, UserId
from edgeflow_cloud.kernel.principal import Kind, Principal, Role
from edgeflow_cloud.organizations import Organization

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another one
_GROUPS: Final = 5


async def register(
    context: Context,
    origin: Origin,
    *,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    organization_name: str,
    organization_slug: str | None,
    wants_newsletter: bool,
) -> tuple[User, Organization]:
    """Add a person with an organization of their own, and send the mail that verifies the address.

    The caller has seen the terms accepted. The owner of a taken address is told by mail that somebody tried.

    Raises Forbidden (`registration_closed`, `invitation_needed`), Invalid (`weak_password`, `invalid_email`),
    Conflict (`email_taken`, `slug_taken`), TooMany.
    """
    _require_open(context)
    await attempts.spend_registration(context, origin.ip_address)
    address = identity.clean_email(email)
    identity.check_password(password, email=address)
    new = NewUser(
        id=UserId(ids.new()),
        email=address,
        first_name=first_name,
        last_name=last_name,
        password_hash=await identity.hash_password(password),
        accepted_terms=True,
        wants_newsletter=wants_newsletter,
    )
    principal = _future_owner(new.id, origin)
    try:
        async with context.db.tenant_tx(principal) as tx:
            now = context.clock.now()
            await identity.add_user(tx, principal, new, now)
            organization = await organizations.create_with_owner(
                tx,
                principal,
                name=organization_name,
                slug=organization_slug,
                plan=context.settings.default_plan.value,
                now=now,
            )
            await mails.ask_verification(tx, new.id)
            return await identity.get_user(tx, new.id), organization
    except Conflict as conflict:
        if conflict.code == "email_taken":
            async with context.db.lookup() as tx:
                await mails.tell_of_account(tx, context, address)
        raise


async def ensure_owner(context: Context, email: str) -> str | None:
    """On an instance without anybody, make an owner of "My organization" and return the new password; else
    None.

    The password is nowhere else: who calls shows it once. Several processes may call at the same time.
    """
    async with context.db.lookup() as tx:
        if await identity.anybody_here(tx):
            return None
    password = new_password()
    new = NewUser(
        id=UserId(ids.new()),
        email=identity.clean_email(email),
        first_name="Owner",
        last_name="",
        password_hash=await identity.hash_password(password),
        email_verified=True,  # whoever starts the instance named it
    )
    principal = _future_owner(new.id, Origin(None, None))
    async with context.db.tenant_tx(principal) as tx:
        if await identity.anybody_here(tx, alone=True):
            return None
        now = context.clock.now()
        await identity.add_user(tx, principal, new, now)
        await organizations.create_with_owner(
            tx,
            principal,
            name="My organization",
            slug=None,
            plan=context.settings.default_plan.value,
            now=now,
        )
    return password


def new_password() -> str:
    """A password for a person to type once: five groups of four letters, about 99 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(_GROUPS))


def _require_open(context: Context) -> None:
    match context.settings.registration:
        case Registration.OPEN:
            return
        case Registration.INVITE:
            raise Forbidden(
                "New accounts here need an invitation. Ask an owner or admin of your organization for one.",
                code="invitation_needed",
            )
        case Registration.CLOSED:
            raise Forbidden(
                "This instance takes no new accounts. Ask its operator for one.", code="registration_closed"
            )


def _future_owner(user_id: UserId, origin: Origin) -> Principal:
    """The person as the owner of an organization that is about to be made."""
    return Principal(
        tenant_id=TenantId(ids.new()),
        kind=Kind.USER,
        id=user_id,
        role=Role.OWNER,
        permissions=organizations.permissions_of(Role.OWNER),
        ip_address=origin.ip_address,
        user_agent=origin.user_agent,
    )
