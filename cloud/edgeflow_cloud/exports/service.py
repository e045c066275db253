"""Use cases of archives: order one, look at it."""

from datetime import datetime

from edgeflow_cloud import audit, organizations
from edgeflow_cloud.exports import queries
from edgeflow_cloud.exports.model import Export
from edgeflow_cloud.exports.writing import EXPORT
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.jobs import enqueue
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import ExportId, TenantId
from edgeflow_cloud.kernel.principal import Principal


async def order_export(tx: Transaction, principal: Principal, wanted: TenantId, now: datetime) -> Export:
    """Ask for an archive of the organization, `org.export`: its job is enqueued with it. Raises NotFound."""
    await organizations.get_organization(tx, principal.tenant_id, wanted)
    export_id = ExportId(ids.new())
    await queries.insert_export(tx, wanted, export_id, principal.wire_id, now)
    await audit.record(tx, principal, "org.export", "organization_export", ids.encode(ids.EXPORT, export_id))
    await enqueue(tx, EXPORT, {"tenant_id": str(wanted), "export_id": str(export_id)})
    return await find_export(tx, principal, wanted, export_id)


async def find_export(tx: Transaction, principal: Principal, wanted: TenantId, export_id: ExportId) -> Export:
    """One archive. Raises NotFound."""
    await organizations.get_organization(tx, principal.tenant_id, wanted)
    row = await queries.select_export(tx, wanted, export_id)
    if row is None:
        raise NotFound("There is no such export in this organization.", code="export_not_found")
    return Export(**dict(row))


async def list_exports(tx: Transaction, principal: Principal, wanted: TenantId) -> list[Export]:
    """The newest first, at most fifty. Raises NotFound."""
    await organizations.get_organization(tx, principal.tenant_id, wanted)
    return [Export(**dict(row)) for row in await queries.select_exports(tx, wanted, 50)]
