"""Routes under /organizations."""

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
from edgeflow_cloud.kernel.ids import TenantIdField, UserIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.organizations import creation, members, service
from edgeflow_cloud.organizations.schemas import (
    CreateOrganization,
    MemberBody,
    MemberDocument,
    OrganizationBody,
    OrganizationDocument,
    OwnOrganizationDocument,
    TransferBody,
    UsageDocument,
    UsageItem,
)

router = Router(tag="organizations")


@router.get("/organizations", SIGNED_IN)
async def list_organizations(tx: Tx, caller: Caller) -> Listing[OwnOrganizationDocument]:
    """The organizations you belong to, the oldest membership first. Enter another with `POST /auth/switch`, or
    log in with its `organization_id`.
    """
    own = await service.list_own(tx, caller)
    items = [OwnOrganizationDocument.of(membership) for membership in own]
    return Listing(items=items, next_cursor=None, total=len(items))


@router.post("/organizations", SIGNED_IN, status=201, transaction=False)
async def create_organization(body: CreateOrganization, ctx: Ctx, caller: Caller) -> OrganizationDocument:
    """Make another organization, of which you are the owner. Enter it with `POST /auth/switch`."""
    made = await creation.create(ctx, caller, name=body.name, slug=body.slug)
    return OrganizationDocument.model_validate(made)


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


@router.put("/organizations/{organization_id}/members/{user_id}", "users:manage")
async def change_member(
    organization_id: TenantIdField, user_id: UserIdField, body: MemberBody, tx: Tx, caller: Caller
) -> MemberDocument:
    """Give a member another role or extra permissions. Nobody gives more than they have."""
    changed = await members.change_member(
        tx,
        caller,
        organization_id,
        user_id,
        role=body.role,
        extra_permissions=body.extra_permissions,
    )
    return MemberDocument.model_validate(changed)


@router.delete("/organizations/{organization_id}/members/{user_id}", "users:manage")
async def remove_member(organization_id: TenantIdField, user_id: UserIdField, tx: Tx, caller: Caller) -> None:
    """Remove a member: their sessions here end within two seconds. The last owner stays."""
    await members.remove_member(tx, caller, organization_id, user_id)


@router.post("/organizations/{organization_id}/leave", SIGNED_IN, status=204)
async def leave_organization(organization_id: TenantIdField, tx: Tx, caller: Caller) -> None:
    """Leave the organization that your session is in. The last owner stays."""
    await members.leave(tx, caller, organization_id)


@router.post("/organizations/{organization_id}/transfer-ownership", "organization:own")
async def transfer_ownership(
    organization_id: TenantIdField, body: TransferBody, tx: Tx, caller: Caller
) -> MemberDocument:
    """Make another member the owner; you become an admin."""
    return MemberDocument.model_validate(
        await members.transfer_ownership(tx, caller, organization_id, body.user_id)
    )


@router.get("/organizations/{organization_id}/usage", "billing:view", transaction=False)
async def get_usage(organization_id: TenantIdField, ctx: Ctx, caller: Caller) -> UsageDocument:
    """What the plan allows, and how much of it is used."""
    plan, items = await service.usage(ctx, caller, organization_id)
    return UsageDocument(
        plan=plan.name,
        title=plan.title,
        features=sorted(plan.features),
        items=[UsageItem.model_validate(item) for item in items],
    )
