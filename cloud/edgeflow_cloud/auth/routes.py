"""Routes under /auth."""

from typing import Final

from fastapi import Request, Response

from edgeflow_cloud import identity
from edgeflow_cloud.auth import attempts, mfa, recovery, registration, service, sessions
from edgeflow_cloud.auth.attempts import browser_mark
from edgeflow_cloud.auth.bearer import origin_of
from edgeflow_cloud.auth.model import MfaRequired
from edgeflow_cloud.auth.proof_schemas import (
    ForgotPasswordBody,
    LinkBody,
    MessageDocument,
    MfaCodeBody,
    MfaPasswordBody,
    MfaProofBody,
    MfaSetupDocument,
    PasswordResetDocument,
    PasswordStrengthBody,
    PasswordStrengthDocument,
    RecoveryCodesDocument,
    ResetPasswordBody,
    SessionsEndedDocument,
    VerifiedDocument,
)
from edgeflow_cloud.auth.schemas import (
    ChangePasswordBody,
    EntryDocument,
    LivingSessionDocument,
    LoggedOutDocument,
    LoginBody,
    MfaRequiredDocument,
    PasswordChangedDocument,
    ProfileBody,
    ProfileDocument,
    RefreshBody,
    RegisterBody,
    RegisterDocument,
    SwitchBody,
)
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.http import (
    PUBLIC,
    SIGNED_IN,
    Caller,
    Ctx,
    IfMatch,
    Listing,
    Router,
    Tx,
    show_version,
)
from edgeflow_cloud.kernel.ids import SessionIdField

_MARK: Final = "edgeflow_known_browser"
"""Cookie that only says to the log-in: this account was entered here before."""

router = Router(tag="auth")


@router.post("/auth/register", PUBLIC, status=201, transaction=False)
async def register(body: RegisterBody, ctx: Ctx, request: Request) -> RegisterDocument:
    """Make an account with an organization of its own, of which you are the owner. Then log in.

    A mail asks you to verify the address: until then you may do everything but invite others.
    """
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
async def login(
    body: LoginBody, ctx: Ctx, request: Request, response: Response
) -> EntryDocument | MfaRequiredDocument:
    """Open a session. Send `Authorization: Bearer <access_token>` from then on.

    An account with a second factor answers `requires_mfa` and no tokens until `mfa_code` is sent too.
    """
    entry = await service.login(
        ctx,
        origin_of(request),
        email=body.email,
        password=body.password.get_secret_value(),
        organization_id=body.organization_id,
        mfa_code=body.mfa_code,
        mark=request.cookies.get(_MARK),
    )
    if isinstance(entry, MfaRequired):
        return MfaRequiredDocument(message=entry.message)
    response.set_cookie(
        _MARK,
        browser_mark(ctx, body.email),
        max_age=365 * 86_400,
        path="/api/v1/auth/login",
        secure=ctx.settings.public_url.startswith("https:"),
        httponly=True,
        samesite="strict",
    )
    return EntryDocument.of(entry)


@router.post("/auth/switch", SIGNED_IN, transaction=False)
async def switch_organization(body: SwitchBody, ctx: Ctx, caller: Caller) -> EntryDocument:
    """Enter another organization of yours: a session there, beside this one."""
    return EntryDocument.of(await sessions.switch_organization(ctx, caller, body.organization_id))


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
    return ProfileDocument.of(user, caller, await service.recovery_codes_left(tx, user))


@router.put("/auth/profile", SIGNED_IN)
async def update_profile(
    body: ProfileBody, tx: Tx, caller: Caller, ctx: Ctx, if_match: IfMatch, response: Response
) -> ProfileDocument:
    """Change your names, locale or time zone; what you leave out stays."""
    user = await service.update_profile(
        tx, caller, body.model_dump(exclude_unset=True), if_match=if_match, now=ctx.clock.now()
    )
    show_version(response, user.version)
    return ProfileDocument.of(user, caller, await service.recovery_codes_left(tx, user))


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


@router.post("/auth/password-strength", PUBLIC, transaction=False)
async def estimate_password(
    body: PasswordStrengthBody, ctx: Ctx, request: Request
) -> PasswordStrengthDocument:
    """How hard a password would be to guess, while somebody chooses one. Nothing of it is kept."""
    await attempts.spend_strength(ctx, origin_of(request).ip_address)
    found = await identity.estimate_strength(
        body.password.get_secret_value(), email=body.email, words=body.words
    )
    return PasswordStrengthDocument.model_validate(found)


@router.post("/auth/verify-email", PUBLIC, transaction=False)
async def verify_email(body: LinkBody, ctx: Ctx, request: Request) -> VerifiedDocument:
    """The link of a verification mail was opened: the address is verified. It is good once, for a day."""
    email = await recovery.verify_email(ctx, origin_of(request), body.token)
    return VerifiedDocument(message="Your address is verified.", email=email)


@router.post("/auth/resend-verification", SIGNED_IN, transaction=False)
async def resend_verification(ctx: Ctx, caller: Caller) -> MessageDocument:
    """Send the verification mail once more."""
    await recovery.resend_verification(ctx, caller)
    return MessageDocument(message=_on_its_way(ctx, "A mail with a link is on its way."))


@router.post("/auth/forgot-password", PUBLIC, transaction=False)
async def forgot_password(body: ForgotPasswordBody, ctx: Ctx, request: Request) -> MessageDocument:
    """Ask for a mail with a link for a new password. The answer is the same whoever has the address, or nobody."""
    await recovery.forget_password(ctx, origin_of(request), body.email)
    said = "If this address has an account, a mail with a link is on its way. It is good for an hour."
    return MessageDocument(message=_on_its_way(ctx, said))


@router.post("/auth/reset-password", PUBLIC, transaction=False)
async def reset_password(body: ResetPasswordBody, ctx: Ctx, request: Request) -> PasswordResetDocument:
    """Choose a new password by the link of a mail. Every session of yours ends; a second factor stays."""
    ended = await recovery.reset_password(
        ctx, origin_of(request), token=body.token, password=body.new_password.get_secret_value()
    )
    said = "Your password is changed. Log in with the new one."
    return PasswordResetDocument(message=said, ended_sessions=ended)


@router.get("/auth/sessions", SIGNED_IN)
async def list_sessions(tx: Tx, caller: Caller, ctx: Ctx) -> Listing[LivingSessionDocument]:
    """Your sessions in every organization, the last seen first."""
    found = await sessions.list_sessions(tx, caller, ctx.clock.now())
    items = [LivingSessionDocument.model_validate(item) for item in found]
    return Listing(items=items, next_cursor=None, total=len(items))


@router.delete("/auth/sessions/{session_id}", SIGNED_IN, transaction=False)
async def end_session(session_id: SessionIdField, ctx: Ctx, caller: Caller) -> None:
    """End one of your sessions: within two seconds it opens nothing any more."""
    await sessions.end_session(ctx, caller, session_id)


@router.delete("/auth/sessions", SIGNED_IN, transaction=False, status=200)
async def end_other_sessions(ctx: Ctx, caller: Caller) -> SessionsEndedDocument:
    """End all of your sessions but this one."""
    return SessionsEndedDocument(ended_sessions=await sessions.end_other_sessions(ctx, caller))


@router.post("/auth/mfa/enable", SIGNED_IN, transaction=False)
async def enable_mfa(body: MfaPasswordBody, ctx: Ctx, caller: Caller) -> MfaSetupDocument:
    """Begin to set up a second factor: a secret for your authenticator. Then confirm it with a code."""
    setup = await mfa.begin(ctx, caller, password=body.password.get_secret_value())
    return MfaSetupDocument(secret=setup.secret, otpauth_uri=setup.uri)


@router.post("/auth/mfa/confirm", SIGNED_IN, transaction=False)
async def confirm_mfa(body: MfaCodeBody, ctx: Ctx, caller: Caller) -> RecoveryCodesDocument:
    """Your authenticator works: from now on a log-in needs its code. Keep the recovery codes safe."""
    return RecoveryCodesDocument(recovery_codes=await mfa.confirm(ctx, caller, code=body.code))


@router.post("/auth/mfa/disable", SIGNED_IN, transaction=False)
async def disable_mfa(body: MfaProofBody, ctx: Ctx, caller: Caller) -> MessageDocument:
    """Switch the second factor off."""
    await mfa.disable(ctx, caller, password=body.password.get_secret_value(), code=body.code)
    return MessageDocument(message="The second factor is off. The recovery codes are worth nothing any more.")


@router.post("/auth/mfa/recovery-codes", SIGNED_IN, transaction=False)
async def renew_recovery_codes(body: MfaProofBody, ctx: Ctx, caller: Caller) -> RecoveryCodesDocument:
    """Ten new recovery codes in the place of the old ones."""
    codes = await mfa.renew_codes(ctx, caller, password=body.password.get_secret_value(), code=body.code)
    return RecoveryCodesDocument(recovery_codes=codes)


def _on_its_way(ctx: Context, said: str) -> str:
    """What to expect; where no mail server is set up, who has the mail."""
    if ctx.settings.smtp_url is not None:
        return said
    return f"{said} This instance sends no mail: its operator sees it with `edgeflow-cloud mail list`."
