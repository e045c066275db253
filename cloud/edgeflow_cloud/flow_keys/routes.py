"""HTTP of flow keys and bundles."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Path

from edgeflow_cloud import devices
from edgeflow_cloud.flow_keys import service
from edgeflow_cloud.flow_keys.model import ADDRESS_LIFE, FlowKey, blob_key, no_such_bundle
from edgeflow_cloud.flow_keys.schemas import (
    BundleAddress,
    BundleReference,
    DeviceFlowKeys,
    FlowBundleDocument,
    FlowKeyDocument,
    FlowKeysDocument,
    RotateFlowKey,
    SignFlow,
    show_key,
)
from edgeflow_cloud.infra.blobs import BlobNotFound
from edgeflow_cloud.infra.http import Caller, Ctx, Router, Tx
from edgeflow_cloud.kernel.ids import DeviceIdField
from edgeflow_protocol.bundle import encode_base64

router = Router(tag="flow keys")

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The bundle's SHA-256, in hex.")]


@router.get("/flow-keys", "flows:view")
async def list_flow_keys(tx: Tx, caller: Caller, ctx: Ctx) -> FlowKeysDocument:
    """The keys that sign this organization's flows. The first is made when somebody asks for the first time."""
    now = ctx.clock.now()
    return _show(await service.ensure_keys(tx, caller, ctx.secrets, now), now)


@router.post("/flow-keys/rotate", "organization:manage")
async def rotate_flow_key(tx: Tx, caller: Caller, ctx: Ctx, body: RotateFlowKey) -> FlowKeysDocument:
    """Sign with a new key from now on. Devices follow by themselves: the old key endorses the new one."""
    now = ctx.clock.now()
    overlap = timedelta(seconds=body.overlap_seconds)
    return _show(await service.rotate_key(tx, caller, ctx.secrets, overlap=overlap, now=now), now)


@router.post("/flow-bundles", "flows:manage", creates=True)
async def create_flow_bundle(tx: Tx, caller: Caller, ctx: Ctx, body: SignFlow) -> FlowBundleDocument:
    """Sign a flow and keep it for devices. Put the answer's `bundle` and `version` into a shadow's
    `desired.flows.{flow_id}` to run it there."""
    made = await service.sign_bundle(
        tx,
        caller,
        ctx.secrets,
        flow_id=body.flow_id,
        version=body.version,
        definition=body.definition,
        now=ctx.clock.now(),
    )
    key = blob_key(caller.tenant_id, made.sha256)
    await ctx.blobs.put(key, made.data, content_type="application/json")
    reference = BundleReference(
        url=ctx.blobs.presign(key, expires=ADDRESS_LIFE),
        sha256=made.sha256,
        signature=encode_base64(made.signature),
        key_id=made.key_id,
    )
    return FlowBundleDocument(
        flow_id=made.flow_id,
        version=made.version,
        size=len(made.data),
        **reference.model_dump(),
        bundle=reference,
    )


@router.get("/devices/{device_id}/flow-keys", "flows:view", devices=True)
async def get_device_flow_keys(tx: Tx, caller: Caller, ctx: Ctx, device_id: DeviceIdField) -> DeviceFlowKeys:
    """The keys as the device pins them: asked for by a device that meets a signature it does not know."""
    now = ctx.clock.now()
    keys = await service.list_for_device(tx, caller, device_id, ctx.secrets, now)
    return DeviceFlowKeys(flow_keys=[show_key(key, now) for key in keys])


@router.get("/devices/{device_id}/flow-bundles/{sha256}", "flows:view", devices=True)
async def get_device_flow_bundle(
    tx: Tx, caller: Caller, ctx: Ctx, device_id: DeviceIdField, sha256: Digest
) -> BundleAddress:
    """A fresh address for a bundle: asked for by a device that comes when the first has ended."""
    await devices.find_device(tx, caller, device_id)
    key = blob_key(caller.tenant_id, sha256)
    try:
        await ctx.blobs.head(key)
    except BlobNotFound:
        raise no_such_bundle() from None
    url = ctx.blobs.presign(key, expires=ADDRESS_LIFE)
    return BundleAddress(url=url, sha256=sha256, expires_in=int(ADDRESS_LIFE.total_seconds()))


def _show(keys: list[FlowKey], now: datetime) -> FlowKeysDocument:
    return FlowKeysDocument(
        items=[
            FlowKeyDocument(
                **show_key(key, now).model_dump(),
                signs=key is keys[-1],
                created_by=key.created_by,
                created_at=key.created_at,
                retires_at=key.retires_at,
            )
            for key in keys
        ]
    )
