"""Use cases of an organization's end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from edgeflow_cloud import audit, quotas
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, NotFound
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import ExportId, TenantId
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
EXPORT_LIFE: Final = timedelta(days=7)
"""How long an export can be downloaded."""


@dataclass(frozen=True, slots=True)
class Export:
    """One archive of an organization: `waiting`, `done` (with its size in bytes) or `failed`."""

    id: ExportId
    state: str
    size: int | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


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


async def order_export(tx: Transaction, principal: Principal, wanted: TenantId, now: datetime) -> Export:
    """Ask for an archive of the organization, `org.export`. The job is the caller's part. Raises NotFound."""
    if wanted != principal.tenant_id:
        raise unknown()
    export_id = ExportId(ids.new())
    await queries.insert_export(tx, wanted, export_id, principal.wire_id, now)
    await audit.record(tx, principal, "org.export", "organization_export", ids.encode(ids.EXPORT, export_id))
    return await find_export(tx, principal, wanted, export_id)


async def find_export(tx: Transaction, principal: Principal, wanted: TenantId, export_id: ExportId) -> Export:
    """One archive. Raises NotFound."""
    if wanted != principal.tenant_id:
        raise unknown()
    row = await queries.select_export(tx, wanted, export_id)
    if row is None:
        raise NotFound("There is no such export in this organization.", code="export_not_found")
    return _export(row)


async def list_exports(tx: Transaction, principal: Principal, wanted: TenantId) -> list[Export]:
    """The newest first, at most fifty. Raises NotFound."""
    if wanted != principal.tenant_id:
        raise unknown()
    return [_export(row) for row in await queries.select_exports(tx, wanted, 50)]


def export_key(tenant_id: TenantId, export_id: ExportId) -> str:
    """Where the archive is in the object store."""
    return f"{exports_folder(tenant_id)}/{ids.encode(ids.EXPORT, export_id)}.zip"


def exports_folder(tenant_id: TenantId) -> str:
    """Where an organization's archives are."""
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


def _export(row: Row) -> Export:
    return Export(**dict(row))
