"""HTTP of provisioning: codes for people, one public call for devices."""

import asyncio
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Query, Request

from edgeflow_cloud import flow_keys
from edgeflow_cloud.infra.http import PUBLIC, Caller, Ctx, Listing, PageQuery, Router, Tx
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.infra.secrets import master_bytes
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import ProvisioningCodeIdField, TenantId
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.kernel.principal import system_principal
from edgeflow_cloud.provisioning import service
from edgeflow_cloud.provisioning.model import CodeRefused, CodeStatus, ProvisioningCode, hash_code
from edgeflow_cloud.provisioning.schemas import (
    CodeDocument,
    CreateCodes,
    CreatedCode,
    CreatedCodes,
    ProvisionDevice,
    ProvisionedDevice,
)

log = structlog.get_logger("edgeflow.provisioning")
router = Router(tag="provisioning")

REFUSALS = Limit("provision-refused", 10, 60)
"""Refused codes a minute and address. A code that works costs nothing: many may stand behind one NAT."""
TOO_MANY = "Too many refused provisioning codes from this address; wait a minute and check the code."
OUR_AGENT = "edgeflow-agent"
"""What `hardware_info.agent` says of a device that pins flow keys."""
REFUSAL_SECONDS = 0.25
"""Every refusal takes this long, whatever its cause."""


@router.post("/provisioning-codes", "devices:manage", creates=True)
async def create_provisioning_codes(tx: Tx, caller: Caller, ctx: Ctx, body: CreateCodes) -> CreatedCodes:
    """Make one code, or `count` of them. The codes themselves are shown this once."""
    now = ctx.clock.now()
    made = await service.create_codes(
        tx,
        caller,
        now=now,
        pepper=ctx.secrets.master_key,
        count=body.count,
        name=body.name,
        tags=body.tags,
        life=timedelta(seconds=body.expires_in),
        reclaim_window=timedelta(seconds=body.reclaim_window),
    )
    return CreatedCodes(
        items=[CreatedCode(**_document(code, now).model_dump(), code=text) for code, text in made]
    )


@router.get("/provisioning-codes", "devices:manage")
async def list_provisioning_codes(
    tx: Tx,
    caller: Caller,
    ctx: Ctx,
    page: PageQuery,
    status: Annotated[CodeStatus | None, Query(description="Only codes in this status.")] = None,
) -> Listing[CodeDocument]:
    """The organization's codes, the newest first."""
    now = ctx.clock.now()
    after = decode_cursor(page.cursor, length=1) if page.cursor else ()
    found = await service.list_codes(tx, caller, status, Page(page.limit, page.offset, after), now)
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


@router.post("/devices/provision", PUBLIC, status=201, lenient=True)
async def provision_device(ctx: Ctx, request: Request, body: ProvisionDevice) -> ProvisionedDevice:
    """Called by a device that holds nothing but its code. The same hardware may show its code again."""
    address = request.client.host if request.client else "unknown"
    allowance = await ctx.limits.take(REFUSALS, address, cost=0)
    allowance.check(TOO_MANY)
    started = time.monotonic()
    hashed, tenant_id = b"", TenantId(UUID(int=0))
    try:
        async with ctx.db.lookup() as tx:
            for key in ctx.secrets.master_keys.accepted(
                ctx.clock.now()
            ):  # a code outlives a rotation of the key
                hashed = hash_code(body.provisioning_code, master_bytes(key.text))
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
        allowance = await ctx.limits.take(REFUSALS, address)
        log.warning("provisioning.refused", address=address)
        await asyncio.sleep(max(0.0, REFUSAL_SECONDS - (time.monotonic() - started)))
        allowance.check(TOO_MANY)
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


def _document(code: ProvisioningCode, now: datetime) -> CodeDocument:
    return CodeDocument(
        id=code.id,
        hint=code.hint,
        status=code.status(now),
        name=code.name,
        tags=list(code.tags),
        expires_at=code.expires_at,
        created_at=code.created_at,
        used_at=code.used_at,
        device_id=code.device_id,
    )
