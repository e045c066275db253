"""Routes under /organizations."""

import dataclasses

from fastapi import Response

from edgeflow_cloud.infra.http import (
    SIGNED_IN,
    Caller,
    Ctx,
    IfMatch,
    Listing,
    PageQuery,
    Router,
    Tx,
    show_version,
)
from edgeflow_cloud.kernel.ids import TenantIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.organizations import service
from edgeflow_cloud.organizations.schemas import (
    MemberDocument,
    OrganizationBody,
    OrganizationDocument,
    OwnOrganizationDocument,
)

router = Router(tag="organizations")


@router.get("/organizations", SIGNED_IN)
async def list_organizations(tx: Tx, caller: Caller) -> Listing[OwnOrganizationDocument]:
    """The organizations you belong to, the oldest membership first. Log in with `organization_id` to enter
    one.
    """
    own = await service.list_own(tx, caller)
    items = [
        OwnOrganizationDocument.model_validate(
            {**dataclasses.asdict(membership.organization), "role": membership.role}
        )
        for membership in own
    ]
    return Listing(items=items, next_cursor=None, total=len(items))


@router.get("/organizations/{organization_id}", "organization:view")
async def get_organization(
    organization_id: TenantIdField, tx: Tx, caller: Caller, response: Response
) -> OrganizationDocument:
    """The organization that your session is in."""
    found = await service.get_organization(tx, caller.tenant_id, organization_id)
    show_version(response, found.version)
    return OrganizationDocument.model_validate(found)


@router.put("/organizations/{organization_id}", "organization:manage")
async def update_organization(
    organization_id: TenantIdField,
    body: OrganizationBody,
    tx: Tx,
    caller: Caller,
    ctx: Ctx,
    if_match: IfMatch,
    response: Response,
) -> OrganizationDocument:
    """Change name, slug, settings or metadata; what you leave out stays."""
    changed = await service.update_organization(
        tx,
        caller,
        organization_id,
        body.model_dump(exclude_unset=True),
        if_match=if_match,
        now=ctx.clock.now(),
    )
    show_version(response, changed.version)
    return OrganizationDocument.model_validate(changed)


@router.get("/organizations/{organization_id}/members", "users:view")
async def list_members(
    organization_id: TenantIdField, tx: Tx, caller: Caller, page: PageQuery
) -> Listing[MemberDocument]:
    """Who belongs to the organization, in the order in which they joined."""
    after = decode_cursor(page.cursor, length=2) if page.cursor else ()
    found = await service.list_members(
        tx, caller, organization_id, Page(limit=page.limit, offset=page.offset, after=after)
    )
    return Listing(
        items=[MemberDocument.model_validate(member) for member in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )
