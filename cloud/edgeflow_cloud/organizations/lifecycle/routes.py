"""Routes of an organization's end: delete, restore, export."""

from datetime import datetime, timedelta

from pydantic import Field

from edgeflow_cloud.infra.http import Caller, Ctx, Document, Listing, Router, Tx
from edgeflow_cloud.infra.jobs import enqueue
from edgeflow_cloud.kernel.ids import ExportIdField, TenantIdField
from edgeflow_cloud.organizations.lifecycle import service
from edgeflow_cloud.organizations.lifecycle.jobs import EXPORT
from edgeflow_cloud.organizations.schemas import OrganizationDocument

router = Router(tag="organizations")
_LINK = timedelta(minutes=15)


class ExportDocument(Document):
    """An archive of the organization: a zip of JSON lines, a file a table; no secrets and no measurements."""

    id: ExportIdField
    state: str = Field(description="`waiting`, `done` or `failed`")
    size: int | None = Field(description="Bytes, once it is done.")
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class ExportWithLink(ExportDocument):
    """An archive, with the address to fetch it from once it is done."""

    url: str | None = Field(
        description="Good for fifteen minutes, for whoever has it; null until it is done."
    )


@router.delete("/organizations/{organization_id}", "organization:own", status=200)
async def delete_organization(
    organization_id: TenantIdField, tx: Tx, caller: Caller, ctx: Ctx
) -> OrganizationDocument:
    """Delete the organization. It is closed at once; until `purge_after` an owner may restore it, then it is gone."""
    return OrganizationDocument.model_validate(
        await service.delete(tx, caller, organization_id, ctx.clock.now())
    )


@router.post("/organizations/{organization_id}/restore", "organization:own")
async def restore_organization(
    organization_id: TenantIdField, tx: Tx, caller: Caller
) -> OrganizationDocument:
    """Open a deleted organization again."""
    return OrganizationDocument.model_validate(await service.restore(tx, caller, organization_id))


@router.get("/organizations/{organization_id}/exports", "organization:manage")
async def list_exports(organization_id: TenantIdField, tx: Tx, caller: Caller) -> Listing[ExportDocument]:
    """The archives of the last days, the newest first."""
    found = await service.list_exports(tx, caller, organization_id)
    return Listing(
        items=[ExportDocument.model_validate(item) for item in found], next_cursor=None, total=len(found)
    )


@router.post("/organizations/{organization_id}/exports", "organization:manage", status=202)
async def create_export(organization_id: TenantIdField, tx: Tx, caller: Caller, ctx: Ctx) -> ExportDocument:
    """Ask for an archive of everything in the organization. Look at it until its state is `done`."""
    made = await service.order_export(tx, caller, organization_id, ctx.clock.now())
    await enqueue(tx, EXPORT, {"tenant_id": str(caller.tenant_id), "export_id": str(made.id)})
    return ExportDocument.model_validate(made)


@router.get("/organizations/{organization_id}/exports/{export_id}", "organization:manage")
async def get_export(
    organization_id: TenantIdField, export_id: ExportIdField, tx: Tx, caller: Caller, ctx: Ctx
) -> ExportWithLink:
    """One archive, with a link to download it once it is done."""
    found = await service.find_export(tx, caller, organization_id, export_id)
    url = (
        ctx.blobs.presign(service.export_key(caller.tenant_id, export_id), expires=_LINK)
        if found.state == "done"
        else None
    )
    return ExportWithLink(**ExportDocument.model_validate(found).model_dump(), url=url)
