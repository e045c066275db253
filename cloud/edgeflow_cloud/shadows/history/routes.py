"""HTTP of a shadow's history."""

from typing import Annotated

from fastapi import Path, Query, Response

from edgeflow_cloud.devices import name_callers
from edgeflow_cloud.infra.http import Caller, Ctx, IfMatch, Listing, PageQuery, Router, Tx, show_version
from edgeflow_cloud.kernel.ids import DeviceIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.shadows import service as shadows
from edgeflow_cloud.shadows.history import service
from edgeflow_cloud.shadows.history.schemas import (
    Author,
    RestoreShadow,
    ShadowDiff,
    ShadowDifference,
    ShadowVersion,
)
from edgeflow_cloud.shadows.model import Shadow, render
from edgeflow_cloud.shadows.schemas import ShadowDocument

router = Router(tag="shadows")
_Version = Annotated[int, Path(ge=0, le=2**53)]


@router.get("/devices/{device_id}/shadow/history", "devices:view")
async def list_shadow_versions(
    tx: Tx, caller: Caller, device_id: DeviceIdField, page: PageQuery
) -> Listing[ShadowVersion]:
    """What changed the shadow, by whom and when, the newest first; for as long as the organization's plan keeps it.
    Of what the device reported, the newest 2,000 versions."""
    after = decode_cursor(page.cursor, length=1) if page.cursor else ()
    found = await service.list_versions(tx, caller, device_id, Page(page.limit, page.offset, after))
    names = await name_callers(tx, caller.tenant_id, (item.by_id for item in found.items))
    return Listing(
        items=[
            ShadowVersion(
                version=item.version,
                changed=item.changed,
                at=item.at,
                by=Author(kind=item.by_kind, id=item.by_id, name=names.get(item.by_id)),
                patch=item.patch,
                truncated=item.truncated,
            )
            for item in found.items
        ],
        next_cursor=found.next_cursor,
        total=None,
    )


@router.get("/devices/{device_id}/shadow/history/{version}", "devices:view")
async def get_shadow_version(
    tx: Tx, caller: Caller, device_id: DeviceIdField, version: _Version
) -> ShadowDocument:
    """The whole document as it was at that version. 404 `shadow_version_not_kept` for one that is not kept."""
    return _document(await service.find_version(tx, caller, device_id, version))


@router.get("/devices/{device_id}/shadow/diff", "devices:view")
async def compare_shadow_versions(
    tx: Tx,
    caller: Caller,
    device_id: DeviceIdField,
    first: Annotated[
        int | None, Query(alias="from", ge=0, le=2**53, description="The one before `to` when left out.")
    ] = None,
    second: Annotated[
        int | None, Query(alias="to", ge=0, le=2**53, description="The current version when left out.")
    ] = None,
) -> ShadowDiff:
    """Every leaf that differs between two versions, by its dotted path."""
    before, after, changes = await service.compare_versions(tx, caller, device_id, first, second)
    return ShadowDiff.model_validate(
        {"from": before, "to": after, "changes": [ShadowDifference.model_validate(one) for one in changes]}
    )


@router.post("/devices/{device_id}/shadow/restore", "devices:manage", transaction=False)
async def restore_shadow(
    ctx: Ctx,
    caller: Caller,
    device_id: DeviceIdField,
    body: RestoreShadow,
    if_match: IfMatch,
    response: Response,
) -> ShadowDocument:
    """Want again what was wanted at an earlier version: a new version of desired, which the device gets at once or on
    its return. What it reported is not touched. With `If-Match`: 409 when the shadow is at another version."""
    async with ctx.db.tenant_tx(caller) as tx:
        shadow = await shadows.restore_desired(
            tx, caller, device_id, body.version, now=ctx.clock.now(), expected=if_match
        )
    await shadows.push(ctx.bus, shadow)
    show_version(response, shadow.version)
    return _document(shadow)


@router.delete("/devices/{device_id}/shadow", "devices:manage", transaction=False)
async def delete_shadow(ctx: Ctx, caller: Caller, device_id: DeviceIdField, if_match: IfMatch) -> None:
    """Empty both halves. The version goes on and the history stays, so that this can be taken back; a connected device
    is told at once that nothing is wanted of it."""
    async with ctx.db.tenant_tx(caller) as tx:
        shadow = await shadows.delete_shadow(tx, caller, device_id, now=ctx.clock.now(), expected=if_match)
    await shadows.push(ctx.bus, shadow)


def _document(shadow: Shadow) -> ShadowDocument:
    return ShadowDocument.model_validate(render(shadow))
