"""HTTP of keys."""

from datetime import timedelta

from edgeflow_cloud.device_keys import service
from edgeflow_cloud.device_keys.schemas import KeyDocument, KeyList, RotatedKey, RotateKey
from edgeflow_cloud.infra.http import Caller, Ctx, Router, Tx
from edgeflow_cloud.kernel.ids import DeviceIdField, DeviceKeyIdField

router = Router(tag="devices")


@router.post("/devices/{device_id}/rotate-key", "devices:manage", creates=True)
async def rotate_device_key(
    tx: Tx, caller: Caller, ctx: Ctx, device_id: DeviceIdField, body: RotateKey
) -> RotatedKey:
    """Make a new key. Both are good in the overlap; when the old one ends, a tunnel that it opened ends with it."""
    overlap = timedelta(seconds=body.overlap_seconds)
    made = await service.rotate(tx, caller, device_id, overlap, ctx.clock.now())
    return RotatedKey(api_key=made.api_key, old_key_valid_until=made.old_key_valid_until)


@router.get("/devices/{device_id}/keys", "devices:manage")
async def list_device_keys(tx: Tx, caller: Caller, ctx: Ctx, device_id: DeviceIdField) -> KeyList:
    """The device's keys that are good."""
    found = await service.list_keys(tx, caller, device_id, ctx.clock.now())
    return KeyList(items=[KeyDocument.model_validate(key) for key in found])


@router.delete("/devices/{device_id}/keys/{key_id}", "devices:manage")
async def revoke_device_key(
    tx: Tx, caller: Caller, ctx: Ctx, device_id: DeviceIdField, key_id: DeviceKeyIdField
) -> None:
    """End a key before its time. Within two seconds it opens nothing, and the tunnel that it opened is closed."""
    await service.revoke_key(tx, caller, device_id, key_id, ctx.clock.now())
