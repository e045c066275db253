"""Routes of archives, under their organization."""

from datetime import datetime, timedelta

from pydantic import Field

from edgeflow_cloud.exports import service
from edgeflow_cloud.exports.writing import export_key
from edgeflow_cloud.infra.http import Caller, Ctx, Document, Listing, Router, Tx
from edgeflow_cloud.kernel.ids import ExportIdField, TenantIdField

router = Router(tag="organizations")
_LINK = timedelta(minutes=15)


class ExportDocument(Document):
    """An archive of the organization: a zip of JSON lines, with its devices' measurements, events and logs, and no
    secrets. `README.txt` in it says what each file is, `contents.json` how many rows it has.
    """

    id: ExportIdField
    state: str = Field(description="`waiting`, `done` or `failed`")
    progress: int = Field(ge=0, le=100, description="How much of it is written, in percent.")
    rows: int = Field(description="How many rows are in it so far.")
    size: int | None = Field(description="Bytes, once it is done.")
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class ExportWithLink(ExportDocument):
    """An archive, with the address to fetch it from once it is done."""

    url: str | None = Field(
        description="Good for fifteen minutes, for whoever has it; null until it is done."
    )


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
    return ExportDocument.model_validate(made)


@router.get("/organizations/{organization_id}/exports/{export_id}", "organization:manage")
async def get_export(
    organization_id: TenantIdField, export_id: ExportIdField, tx: Tx, caller: Caller, ctx: Ctx
) -> ExportWithLink:
    """One archive: how far it is, and a link to download it once it is done."""
    found = await service.find_export(tx, caller, organization_id, export_id)
    url = (
        ctx.blobs.presign(export_key(caller.tenant_id, export_id), expires=_LINK)
        if found.state == "done"
        else None
    )
    return ExportWithLink(**ExportDocument.model_validate(found).model_dump(), url=url)
