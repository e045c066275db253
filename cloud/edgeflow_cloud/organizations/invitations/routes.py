"""Routes of invitations."""

from datetime import timedelta

from fastapi import Request

from edgeflow_cloud.infra.http import PUBLIC, Caller, Ctx, Listing, PageQuery, Router, Tx
from edgeflow_cloud.kernel.ids import InvitationIdField, TenantIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.organizations.invitations import service
from edgeflow_cloud.organizations.invitations.schemas import (
    AcceptedInvitation,
    AcceptInvitation,
    CreateInvitation,
    InvitationDocument,
    InvitationPreview,
    InvitationToken,
)

router = Router(tag="invitations")


@router.get("/organizations/{organization_id}/invitations", "users:view")
async def list_invitations(
    organization_id: TenantIdField, tx: Tx, caller: Caller, ctx: Ctx, page: PageQuery
) -> Listing[InvitationDocument]:
    """Invitations that nobody has used yet, the newest first."""
    after = decode_cursor(page.cursor, length=1) if page.cursor else ()
    found = await service.list_invitations(
        tx, caller, organization_id, Page(page.limit, page.offset, after), ctx.clock.now()
    )
    return Listing(
        items=[InvitationDocument.model_validate(item) for item in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.post("/organizations/{organization_id}/invitations", "users:manage", creates=True)
async def create_invitation(
    organization_id: TenantIdField, body: CreateInvitation, tx: Tx, caller: Caller, ctx: Ctx
) -> InvitationDocument:
    """Invite somebody by mail. A second invitation to the same address replaces the first."""
    made = await service.invite(
        tx,
        ctx,
        caller,
        organization_id,
        email=body.email,
        role=body.role,
        extra_permissions=body.extra_permissions,
        life=timedelta(seconds=body.expires_in),
    )
    return InvitationDocument.model_validate(made)


@router.delete("/organizations/{organization_id}/invitations/{invitation_id}", "users:manage")
async def delete_invitation(
    organization_id: TenantIdField, invitation_id: InvitationIdField, tx: Tx, caller: Caller
) -> None:
    """Take an invitation back: its link is dead."""
    await service.withdraw(tx, caller, organization_id, invitation_id)


@router.post("/invitations/preview", PUBLIC, transaction=False)
async def preview_invitation(body: InvitationToken, ctx: Ctx, request: Request) -> InvitationPreview:
    """What the link in an invitation leads to. It stays good."""
    address = request.client.host if request.client else None
    return InvitationPreview.model_validate(await service.preview(ctx, body.token, address))


@router.post("/invitations/accept", PUBLIC, transaction=False)
async def accept_invitation(body: AcceptInvitation, ctx: Ctx, request: Request) -> AcceptedInvitation:
    """Use an invitation: the account of its address joins; without one, give names and a password to make it."""
    newcomer = None
    if body.first_name and body.last_name and body.password and body.accept_terms:
        newcomer = service.Newcomer(body.first_name, body.last_name, body.password.get_secret_value())
    agent = request.headers.get("user-agent")
    arrived = await service.accept(
        ctx,
        body.token,
        newcomer,
        ip_address=request.client.host if request.client else None,
        user_agent=agent[:400] if agent else None,
    )
    return AcceptedInvitation.model_validate(arrived)
