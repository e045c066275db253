"""Use cases of an organization's end."""

from datetime import datetime, timedelta
from typing import Final

from edgeflow_cloud import audit, quotas
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.organizations import queries as organizations
from edgeflow_cloud.organizations.events import (
    OrganizationDeleted,
    OrganizationRestored,
    OrganizationResumed,
    OrganizationSuspended,
)
from edgeflow_cloud.organizations.lifecycle import queries
from edgeflow_cloud.organizations.model import Organization
from edgeflow_cloud.organizations.service import get_organization, organization_of, unknown

GRACE: Final = timedelta(days=30)
"""How long a deleted organization can be restored."""


async def delete(tx: Transaction, principal: Principal, wanted: TenantId, now: datetime) -> Organization:
    """Close an organization for good, `org.delete`: nobody but its owners gets in, and after GRACE its rows go.

    Raises NotFound, Conflict (`already_deleted`).
    """
    before = await _lock(tx, principal, wanted)
    if before.deleted_at is not None:
        raise Conflict(
            "This organization is deleted already; it can still be restored.", code="already_deleted"
        )
    await queries.set_deleted(tx, wanted, now, now + GRACE)
    await _note(
        tx,
        principal,
        "org.delete",
        OrganizationDeleted(tenant_id=wanted),
        new={"name": before.name, "purge_after": (now + GRACE).isoformat()},
    )
    return await get_organization(tx, wanted, wanted)


async def restore(tx: Transaction, principal: Principal, wanted: TenantId) -> Organization:
    """Open a deleted organization again, `org.restore`. Raises NotFound, Conflict (`not_deleted`)."""
    before = await _lock(tx, principal, wanted)
    if before.deleted_at is None:
        raise Conflict("This organization is not deleted; there is nothing to restore.", code="not_deleted")
    await queries.set_deleted(tx, wanted, None, None)
    await _note(
        tx, principal, "org.restore", OrganizationRestored(tenant_id=wanted), new={"name": before.name}
    )
    return await get_organization(tx, wanted, wanted)


async def suspend(tx: Transaction, principal: Principal, reason: str, now: datetime) -> Organization:
    """Close the organization of `principal` until it is resumed, `org.suspend`. Raises NotFound."""
    before = await _lock(tx, principal, principal.tenant_id)
    if before.suspended_at is None:
        await queries.set_suspended(tx, principal.tenant_id, now, reason or None)
        await _note(
            tx,
            principal,
            "org.suspend",
            OrganizationSuspended(tenant_id=principal.tenant_id),
            new={"reason": reason},
        )
    return await get_organization(tx, principal.tenant_id, principal.tenant_id)


async def resume(tx: Transaction, principal: Principal) -> Organization:
    """Open a suspended organization again, `org.resume`. Raises NotFound."""
    before = await _lock(tx, principal, principal.tenant_id)
    if before.suspended_at is not None:
        await queries.set_suspended(tx, principal.tenant_id, None, None)
        await _note(tx, principal, "org.resume", OrganizationResumed(tenant_id=principal.tenant_id), new=None)
    return await get_organization(tx, principal.tenant_id, principal.tenant_id)


async def list_all(tx: Transaction, text: str = "", *, limit: int = 500) -> list[Organization]:
    """Organizations of the whole instance whose name or slug holds `text`, for its operator: in a system
    transaction.
    """
    rows = await queries.select_all(tx, text, limit)
    return [organization_of(row, await quotas.plan_name(tx, TenantId(row["tenant_id"]))) for row in rows]


def exports_folder(tenant_id: TenantId) -> str:
    """Where an organization's archives are in the object store: they go with it."""
    return f"exports/{ids.encode(ids.ORGANIZATION, tenant_id)}"


async def _lock(tx: Transaction, principal: Principal, wanted: TenantId) -> Organization:
    row = await organizations.lock_organization(tx, wanted) if wanted == principal.tenant_id else None
    if row is None:
        raise unknown()
    return organization_of(row, await quotas.plan_name(tx, wanted))


async def _note(
    tx: Transaction, principal: Principal, action: str, event: Event, *, new: dict[str, object] | None
) -> None:
    await audit.record(
        tx, principal, action, "organization", ids.encode(ids.ORGANIZATION, principal.tenant_id), new=new
    )
    await announce(tx, event)
