"""Routes under /auth."""

from fastapi import Request, Response

from edgeflow_cloud.auth import registration, service
from edgeflow_cloud.auth.bearer import origin_of
from edgeflow_cloud.auth.schemas import (
    ChangePasswordBody,
    EntryDocument,
    LoggedOutDocument,
    LoginBody,
    PasswordChangedDocument,
    ProfileBody,
    ProfileDocument,
    RefreshBody,
    RegisterBody,
    RegisterDocument,
)
from edgeflow_cloud.infra.http import (
    PUBLIC,
    SIGNED_IN,
    Caller,
    Ctx,
    IfMatch,
    Router,
    Tx,
    show_version,
)

router = Router(tag="auth")


@router.post("/auth/register", PUBLIC, status=201, transaction=False)
async def register(body: RegisterBody, ctx: Ctx, request: Request) -> RegisterDocument:
    """Make an account with an organization of its own, of which you are the owner. Then log in."""
    user, organization = await registration.register(
        ctx,
        origin_of(request),
        email=body.email,
        password=body.password.get_secret_value(),
        first_name=body.first_name,
        last_name=body.last_name,
        organization_name=body.organization_name,
        organization_slug=body.organization_slug,
        wants_newsletter=body.subscribe_newsletter,
    )
    return RegisterDocument.of(user, organization)


@router.post("/auth/login", PUBLIC, transaction=False)
async def login(body: LoginBody, ctx: Ctx, request: Request) -> EntryDocument:
    """Open a session. Send `Authorization: Bearer <access_token>` from then on."""
    entry = await service.login(
        ctx,
        origin_of(request),
        email=body.email,
        password=body.password.get_secret_value(),
        organization_id=body.organization_id,
    )
    return EntryDocument.of(entry)


@router.post("/auth/refresh", PUBLIC, transaction=False)
async def refresh(body: RefreshBody, ctx: Ctx, request: Request) -> EntryDocument:
    """Exchange the refresh token for a new pair. Each is good once; one that comes back late ends the
    session.
    """
    return EntryDocument.of(await service.refresh(ctx, origin_of(request), body.refresh_token))


@router.post("/auth/logout", SIGNED_IN, transaction=False)
async def logout(ctx: Ctx, caller: Caller) -> LoggedOutDocument:
    """End the session: both of its tokens are worthless within two seconds."""
    await service.logout(ctx, caller)
    return LoggedOutDocument()


@router.get("/auth/profile", SIGNED_IN)
async def get_profile(tx: Tx, caller: Caller, response: Response) -> ProfileDocument:
    """Who you are, in which organization, and what you may do there."""
    user = await service.get_profile(tx, caller)
    show_version(response, user.version)
    return ProfileDocument.of(user, caller)


@router.put("/auth/profile", SIGNED_IN)
async def update_profile(
    body: ProfileBody, tx: Tx, caller: Caller, ctx: Ctx, if_match: IfMatch, response: Response
) -> ProfileDocument:
    """Change your names, locale or time zone; what you leave out stays."""
    user = await service.update_profile(
        tx, caller, body.model_dump(exclude_unset=True), if_match=if_match, now=ctx.clock.now()
    )
    show_version(response, user.version)
    return ProfileDocument.of(user, caller)


@router.post("/auth/change-password", SIGNED_IN, transaction=False)
async def change_password(body: ChangePasswordBody, ctx: Ctx, caller: Caller) -> PasswordChangedDocument:
    """Change your password. Every other session of yours ends; this one stays."""
    ended = await service.change_password(
        ctx,
        caller,
        current=body.current_password.get_secret_value(),
        new=body.new_password.get_secret_value(),
    )
    return PasswordChangedDocument(ended_sessions=ended)
