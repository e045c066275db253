"""Making another organization, by somebody who has an account already."""

from dataclasses import replace
from typing import Final

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.infra.settings import Registration
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Forbidden
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.kernel.principal import Kind, Principal, Role
from edgeflow_cloud.organizations.model import Organization, permissions_of
from edgeflow_cloud.organizations.service import create_with_owner

_MADE: Final = Limit("organizations", 10, 86_400)
"""Organizations a day that one person may make."""


async def create(context: Context, principal: Principal, *, name: str, slug: str | None) -> Organization:
    """Make an organization with the caller as its owner, `org.create`; the caller's session stays where it is.

    Raises Forbidden (`people_only`, `registration_closed`), Conflict (`slug_taken`), TooMany.
    """
    if principal.kind is not Kind.USER:
        raise Forbidden("Only a person can make an organization; a program's key cannot.", code="people_only")
    if context.settings.registration is Registration.CLOSED:
        raise Forbidden(
            "This instance takes no new organizations. Ask its operator for one.", code="registration_closed"
        )
    said = "You have made many organizations today. Go on tomorrow."
    (await context.limits.take(_MADE, principal.id.hex)).check(said)
    owner = replace(
        principal,
        tenant_id=TenantId(ids.new()),
        role=Role.OWNER,
        permissions=permissions_of(Role.OWNER),
        session_id=None,
    )
    async with context.db.tenant_tx(owner) as tx:
        return await create_with_owner(
            tx,
            owner,
            name=name,
            slug=slug,
            plan=context.settings.default_plan.value,
            now=context.clock.now(),
        )
