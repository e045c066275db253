"""HTTP of shadows, for people and for devices."""

from fastapi import Response

from edgeflow_cloud.infra.http import Caller, Ctx, IfMatch, Router, Tx, show_version
from edgeflow_cloud.kernel.errors import FieldError, Forbidden, Invalid
from edgeflow_cloud.kernel.ids import DeviceIdField
from edgeflow_cloud.kernel.principal import Kind, Principal
from edgeflow_cloud.shadows import service
from edgeflow_cloud.shadows.model import Shadow, Side, VersionConflict, render
from edgeflow_cloud.shadows.schemas import ShadowDocument, UpdateShadow

router = Router(tag="shadows")


@router.get("/devices/{device_id}/shadow", "devices:view", devices=True)
async def get_shadow(tx: Tx, caller: Caller, device_id: DeviceIdField, response: Response) -> ShadowDocument:
    """What is desired of the device, what it reported, and what of the former is missing in the latter."""
    return _show(await service.find_shadow(tx, caller, device_id), response)


@router.put("/devices/{device_id}/shadow", "devices:manage", devices=True, transaction=False)
async def update_shadow(
    ctx: Ctx,
    caller: Caller,
    device_id: DeviceIdField,
    body: UpdateShadow,
    if_match: IfMatch,
    response: Response,
) -> ShadowDocument:
    """People merge into `desired`, the device merges into `reported`; null deletes a key, arrays are
    replaced.

    With `If-Match` or `version`: 409 when the shadow is at another version, and nothing is changed. A
    change of desired reaches a connected device at once, an absent one when it connects. `gpio_config` is refused
    (409 `gpio_config_not_supported`) for a device whose software does not know it.
    """
    side, change = _change(caller, body)
    if if_match is not None and body.version is not None and if_match != body.version:
        raise VersionConflict(if_match, body.version)
    expected = body.version if if_match is None else if_match
    update = service.update_desired if side is Side.DESIRED else service.update_reported
    async with ctx.db.tenant_tx(caller) as tx:
        shadow = await update(tx, caller, device_id, change, now=ctx.clock.now(), expected=expected)
    if side is Side.DESIRED:
        await service.push(ctx.bus, shadow)
    return _show(shadow, response)


def _change(caller: Principal, body: UpdateShadow) -> tuple[Side, dict[str, object]]:
    """Which half the caller may change, and how. Raises Forbidden for the other half, Invalid for neither."""
    if caller.kind is Kind.DEVICE:
        if body.desired is not None:
            raise Forbidden("A device reports; desired is set by people. Send `reported`.", code="wrong_side")
        if body.reported is None:
            raise Invalid("Send `reported`, an object.", code="reported_missing")
        return Side.REPORTED, body.reported
    unknown = [
        FieldError(name, "We do not know this field. Remove it, or check its spelling.")
        for name in body.model_extra or {}
    ]
    if unknown:
        raise Invalid(f"{unknown[0].field}: {unknown[0].message}", code="invalid_input", fields=unknown)
    if body.reported is not None:
        raise Forbidden(
            "reported is what the device says of itself, so only its own key may set it. Send `desired`.",
            code="wrong_side",
        )
    if body.desired is None:
        raise Invalid("Send `desired`, an object.", code="desired_missing")
    return Side.DESIRED, body.desired


def _show(shadow: Shadow, response: Response) -> ShadowDocument:
    show_version(response, shadow.version)
    return ShadowDocument.model_validate(render(shadow))
