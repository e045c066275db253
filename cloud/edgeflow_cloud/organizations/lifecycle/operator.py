"""The operator's hands on organizations, for the command line. Each opens its own transactions."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from edgeflow_cloud import quotas
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import MalformedId, TenantId
from edgeflow_cloud.kernel.principal import Principal, system_principal
from edgeflow_cloud.organizations.lifecycle import queries, service
from edgeflow_cloud.organizations.model import Organization
from edgeflow_cloud.organizations.service import get_organization


async def list_organizations(context: Context, text: str = "") -> list[Organization]:
    """Organizations whose name or short name holds `text`, the oldest first."""
    async with context.db.system_tx("org list") as tx:
        return await service.list_all(tx, text)


async def suspend_organization(context: Context, wanted: str, reason: str) -> Organization:
    """Close an organization (`org_…` or its short name), `org.suspend`. Raises NotFound."""
    return await _in(
        context, wanted, lambda tx, principal: service.suspend(tx, principal, reason, context.clock.now())
    )


async def resume_organization(context: Context, wanted: str) -> Organization:
    """Open a suspended organization again, `org.resume`. Raises NotFound."""
    return await _in(context, wanted, service.resume)


async def restore_organization(context: Context, wanted: str) -> Organization:
    """Open a deleted organization again, `org.restore`. Raises NotFound, Conflict (`not_deleted`)."""
    return await _in(
        context, wanted, lambda tx, principal: service.restore(tx, principal, principal.tenant_id)
    )


async def set_plan_of(context: Context, wanted: str, plan: str) -> Organization:
    """Put an organization on a plan, `org.plan_change`. Raises NotFound, Invalid (`unknown_plan`)."""

    async def change(tx: Transaction, principal: Principal) -> Organization:
        await quotas.set_plan(tx, principal, plan, context.clock.now())
        return await get_organization(tx, principal.tenant_id, principal.tenant_id)

    return await _in(context, wanted, change)


async def _in(
    context: Context, wanted: str, act: Callable[[Transaction, Principal], Awaitable[Organization]]
) -> Organization:
    """Find the organization, and act inside it as the platform."""
    async with context.db.system_tx("org find") as tx:
        tenant_id = await queries.select_named(tx, wanted, _id_of(wanted))
    if tenant_id is None:
        raise NotFound(f"There is no organization {wanted}: `edgeflow-cloud org list` shows all.")
    principal = system_principal(TenantId(tenant_id))
    async with context.db.tenant_tx(principal) as tx:
        return await act(tx, principal)


def _id_of(text: str) -> UUID | None:
    try:
        return ids.decode(ids.ORGANIZATION, text)
    except MalformedId:
        return None
