"""Routes of an organization's end: delete and restore."""

from edgeflow_cloud.infra.http import Caller, Ctx, Router, Tx
from edgeflow_cloud.kernel.ids import TenantIdField
from edgeflow_cloud.organizations.lifecycle import service
from edgeflow_cloud.organizations.schemas import OrganizationDocument

router = Router(tag="organizations")


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
