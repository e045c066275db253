"""Routes under /api-keys."""

from datetime import timedelta

from edgeflow_cloud.api_keys import service
from edgeflow_cloud.api_keys.schemas import ApiKeyDocument, CreateApiKey, CreatedApiKey
from edgeflow_cloud.infra.http import Caller, Ctx, Listing, PageQuery, Router, Tx
from edgeflow_cloud.kernel.ids import ApiKeyIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor

router = Router(tag="api keys")


@router.get("/api-keys", "api_keys:view")
async def list_api_keys(tx: Tx, caller: Caller, page: PageQuery) -> Listing[ApiKeyDocument]:
    """The organization's API keys, the newest first."""
    after = decode_cursor(page.cursor, length=1) if page.cursor else ()
    found = await service.list_keys(tx, caller, Page(page.limit, page.offset, after))
    return Listing(
        items=[ApiKeyDocument.model_validate(key) for key in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )


# No Idempotency-Key here: it would keep the answer, and with it the secret, for a day.
@router.post("/api-keys", "api_keys:manage", status=201)
async def create_api_key(body: CreateApiKey, tx: Tx, caller: Caller, ctx: Ctx) -> CreatedApiKey:
    """Make a key for a program. Its text is in this answer and nowhere else."""
    key, text = await service.create_key(
        tx,
        caller,
        name=body.name,
        scopes=body.scopes,
        networks=body.networks,
        projects=body.projects,
        life=None if body.expires_in is None else timedelta(seconds=body.expires_in),
        now=ctx.clock.now(),
    )
    return CreatedApiKey(**ApiKeyDocument.model_validate(key).model_dump(), key=text)


@router.delete("/api-keys/{api_key_id}", "api_keys:manage")
async def revoke_api_key(api_key_id: ApiKeyIdField, tx: Tx, caller: Caller) -> None:
    """Revoke a key: the next call with it is refused."""
    await service.revoke_key(tx, caller, api_key_id)
