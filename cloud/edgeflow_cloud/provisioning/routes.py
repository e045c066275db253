"""HTTP of provisioning: codes for people, one public call for devices."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, cast
from uuid import UUID

import structlog
from fastapi import Query, Request, Response

from edgeflow_cloud import flow_keys
from edgeflow_cloud.infra.http import PUBLIC, Caller, Ctx, Listing, PageQuery, Router, Tx, wants_csv
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.infra.secrets import master_bytes
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import BatchIdField, DeviceIdField, ProvisioningCodeIdField, TenantId
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.kernel.principal import system_principal
from edgeflow_cloud.provisioning import labels, service
from edgeflow_cloud.provisioning.creation import Defaults, create_codes, revoke_batch
from edgeflow_cloud.provisioning.model import (
    ClaimRefused,
    CodeRefused,
    CodeStatus,
    ProvisioningCode,
    hash_code,
)
from edgeflow_cloud.provisioning.schemas import (
    ClaimDevice,
    ClaimedDevice,
    CodeDocument,
    CreateCodes,
    CreatedCode,
    CreatedCodes,
    ProvisionDevice,
    ProvisionedDevice,
    ReleasedDevice,
    RevokedCodes,
)
from edgeflow_cloud.provisioning.transfer import claim_released, unclaim

log = structlog.get_logger("edgeflow.provisioning")
router = Router(tag="provisioning")

REFUSALS = Limit("provision-refused", 10, 60)
"""Refused codes a minute and address. A code that works costs nothing: many may stand behind one NAT."""
TOO_MANY = "Too many refused provisioning codes from this address; wait a minute and check the code."
OUR_AGENT = "edgeflow-agent"
"""What `hardware_info.agent` says of a device that pins flow keys."""
REFUSAL_SECONDS = 0.25
"""Every refusal takes this long, whatever its cause."""


@router.post(
    "/provisioning-codes",
    "devices:manage",
    creates=True,
    responses={201: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def create_provisioning_codes(
    tx: Tx, caller: Caller, ctx: Ctx, request: Request, body: CreateCodes
) -> CreatedCodes:
    """Make one code, or `count` of them. The codes themselves are shown this once; `Accept: text/csv` has them as a
    table.
    """
    now = ctx.clock.now()
    wanted = Defaults(
        count=body.count,
        name=body.name,
        tags=body.tags,
        project_id=body.project_id,
        group_id=body.group_id,
        life=timedelta(seconds=body.expires_in),
        reclaim_window=timedelta(hours=body.reclaim_hours),
    )
    made = await create_codes(tx, caller, wanted, now=now, pepper=ctx.secrets.master_key)
    url = ctx.settings.public_url
    items = [
        CreatedCode(
            **_document(code, now).model_dump(),
            code=text,
            claim_url=labels.claim_url(url, text),
            claim_text=labels.claim_text(url, code, text),
        )
        for code, text in made
    ]
    if wants_csv(request):
        return cast(CreatedCodes, _table(items))  # FastAPI passes a Response on as it is
    return CreatedCodes(batch_id=items[0].batch_id, items=items)


@router.get("/provisioning-codes", "devices:manage")
async def list_provisioning_codes(
    tx: Tx,
    caller: Caller,
    ctx: Ctx,
    page: PageQuery,
    status: Annotated[CodeStatus | None, Query(description="Only codes in this status.")] = None,
    batch_id: Annotated[BatchIdField | None, Query(description="Only codes that were made together.")] = None,
) -> Listing[CodeDocument]:
    """The organization's codes, the newest first."""
    now = ctx.clock.now()
    after = decode_cursor(page.cursor, length=1) if page.cursor else ()
    found = await service.list_codes(tx, caller, status, Page(page.limit, page.offset, after), now, batch_id)
    return Listing(
        items=[_document(code, now) for code in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.get("/provisioning-codes/{code_id}", "devices:manage")
async def get_provisioning_code(
    tx: Tx, caller: Caller, ctx: Ctx, code_id: ProvisioningCodeIdField
) -> CodeDocument:
    """One code."""
    return _document(await service.find_code(tx, caller, code_id), ctx.clock.now())


@router.delete("/provisioning-codes/{code_id}", "devices:manage")
async def delete_provisioning_code(tx: Tx, caller: Caller, code_id: ProvisioningCodeIdField) -> None:
    """Revoke a code. A device that was made by it stays, but can no longer claim itself by the code."""
    await service.delete_code(tx, caller, code_id)


@router.delete("/provisioning-codes", "devices:manage", status=200)
async def revoke_provisioning_codes(
    tx: Tx, caller: Caller, batch_id: Annotated[BatchIdField, Query(description="Whose unused codes go.")]
) -> RevokedCodes:
    """Revoke what is unused of a batch, as when a roll of labels is lost. Devices that used theirs stay as they are."""
    return RevokedCodes(revoked=await revoke_batch(tx, caller, batch_id))


@router.post("/devices/provision", PUBLIC, status=201, lenient=True)
async def provision_device(ctx: Ctx, request: Request, body: ProvisionDevice) -> ProvisionedDevice:
    """Called by a device that holds nothing but its code. The same hardware may show its code again."""
    address = await _admit(ctx, request)
    started = time.monotonic()
    hashed, tenant_id = b"", TenantId(UUID(int=0))
    try:
        async with ctx.db.lookup() as tx:
            for hashed in _hashes(ctx, body.provisioning_code):
                tenant_id = await service.find_owner(tx, hashed)
                if tenant_id.int:
                    break
        principal = replace(
            system_principal(tenant_id), ip_address=address, user_agent=request.headers.get("user-agent")
        )
        async with ctx.db.tenant_tx(principal) as tx:
            claim = await service.claim(
                tx,
                principal,
                hashed,
                hardware=body.hardware_info or {},
                network=body.network_info or {},
                now=ctx.clock.now(),
            )
            keys = None
            if (body.hardware_info or {}).get("agent") == OUR_AGENT:
                keys = await flow_keys.ensure_keys(tx, principal, ctx.secrets, ctx.clock.now())
    except CodeRefused:
        await _refuse(ctx, address, started)
        raise
    log.info(
        "provisioning.reclaimed" if claim.reclaimed else "provisioning.provisioned",
        device_id=ids.encode(ids.DEVICE, claim.device_id),
    )
    return ProvisionedDevice(
        device_id=claim.device_id,
        api_key=claim.api_key,
        flow_keys=None if keys is None else [flow_keys.show_key(key, ctx.clock.now()) for key in keys],
    )


@router.post("/devices/claim", "devices:manage", creates=True)
async def claim_device(
    tx: Tx, caller: Caller, ctx: Ctx, request: Request, body: ClaimDevice
) -> ClaimedDevice:
    """Take over a device that its organization has released: by the code on its label, or the one that the release
    showed.
    """
    address = await _admit(ctx, request)
    started = time.monotonic()
    try:
        device, api_key = await claim_released(
            tx,
            caller,
            _hashes(ctx, body.code),
            name=body.name,
            tags=body.tags,
            project_id=body.project_id,
            now=ctx.clock.now(),
        )
    except ClaimRefused:
        await _refuse(ctx, address, started)
        raise
    return ClaimedDevice(device_id=device.device_id, name=device.name, api_key=api_key)


@router.post("/devices/{device_id}/unclaim", "resources:delete")
async def unclaim_device(tx: Tx, caller: Caller, ctx: Ctx, device_id: DeviceIdField) -> ReleasedDevice:
    """Let go of a device, so that another organization can claim it. Its key dies at once, and what is stored of it is
    deleted with it, as by `DELETE`; only the audit log keeps it.
    """
    released = await unclaim(tx, caller, device_id, now=ctx.clock.now(), pepper=ctx.secrets.master_key)
    return ReleasedDevice(
        device_id=device_id, hint=released.hint, code=released.code, claimable_until=released.until
    )


async def _admit(ctx: Ctx, request: Request) -> str:
    """The caller's address. Raises TooMany when too many codes from there were refused lately."""
    address = request.client.host if request.client else "unknown"
    (await ctx.limits.take(REFUSALS, address, cost=0)).check(TOO_MANY)
    return address


async def _refuse(ctx: Ctx, address: str, started: float) -> None:
    """Count a refusal, and wait until it has taken as long as every other."""
    allowance = await ctx.limits.take(REFUSALS, address)
    log.warning("provisioning.refused", address=address)
    await asyncio.sleep(max(0.0, REFUSAL_SECONDS - (time.monotonic() - started)))
    allowance.check(TOO_MANY)


def _hashes(ctx: Ctx, text: str) -> list[bytes]:
    """Of a code under each accepted master key: a code outlives a rotation of the key."""
    return [
        hash_code(text, master_bytes(key.text)) for key in ctx.secrets.master_keys.accepted(ctx.clock.now())
    ]


def _table(items: Sequence[CreatedCode]) -> Response:
    shown = [item.model_dump(mode="json") | {"tags": " ".join(item.tags)} for item in items]
    return Response(
        labels.as_csv([str(row[column] or "") for column in labels.COLUMNS] for row in shown),
        status_code=201,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="provisioning-codes.csv"'},
    )


def _document(code: ProvisioningCode, now: datetime) -> CodeDocument:
    return CodeDocument(
        id=code.id,
        hint=code.hint,
        status=code.status(now),
        name=code.name,
        tags=list(code.tags),
        project_id=code.project_id,
        group_id=code.group_id,
        batch_id=code.batch_id,
        expires_at=code.expires_at,
        created_at=code.created_at,
        used_at=code.used_at,
        device_id=code.device_id,
    )
