"""HTTP of the audit log."""

import base64
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from edgeflow_cloud.audit import export, service
from edgeflow_cloud.audit.checkpoints import key_of
from edgeflow_cloud.audit.model import Entry, Filter
from edgeflow_cloud.audit.schemas import (
    ActionName,
    AuditEntryDocument,
    CheckpointDocument,
    CheckpointListing,
    VerificationDocument,
    Word,
)
from edgeflow_cloud.audit.signing import Checkpoint, Signed, Signer, to_pem
from edgeflow_cloud.audit.verification import verify
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.http import Caller, Ctx, Instant, Listing, PageParameters, PageQuery, Router, Tx
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import TenantId, UserIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.kernel.principal import Principal

router = Router(tag="audit")
_HEAVY = Limit("audit-heavy", 30, 60)
"""Verifications and exports a minute of one organization: each may read all of its log."""
_SEQUENCE = Query(ge=0, le=2**62, description="Begin behind this seal; 0 is the beginning.")


_ENTRIES: Final[dict[str, object]] = {
    "type": "array", "items": {"$ref": "#/components/schemas/AuditEntryDocument"}
}  # fmt: skip


async def _filter(
    user_id: Annotated[UserIdField | None, Query(description="What this person did.")] = None,
    actor_id: Annotated[Word | None, Query(description="Likewise for any actor: `key_…`, `dev_…`.")] = None,
    action: Annotated[ActionName | None, Query(description="`device.update`, or `device.*` for all.")] = None,
    resource_type: Annotated[Word | None, Query()] = None,
    resource_id: Annotated[Word | None, Query()] = None,
    status: Annotated[Literal["success", "failure"] | None, Query()] = None,
    start: Annotated[Instant | None, Query(alias="from", description="RFC 3339, inclusive.")] = None,
    end: Annotated[Instant | None, Query(alias="to", description="RFC 3339, exclusive.")] = None,
) -> Filter:
    return Filter(
        actor_id=ids.encode(ids.USER, user_id) if user_id is not None else actor_id,
        action=action,
        resource_type=resource_type,
        resource_id=resource_id,
        status=status,
        start=start,
        end=end,
    )


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("/audit", "audit:view")
async def list_audit_entries(
    tx: Tx, caller: Caller, page: PageQuery, wanted: Wanted
) -> Listing[AuditEntryDocument]:
    """Who did what to which thing, when and from where; the newest first."""
    found = await service.list_entries(tx, caller, wanted, _page(page))
    return Listing(
        items=[AuditEntryDocument.model_validate(entry) for entry in found.items],
        next_cursor=found.next_cursor,
        total=None,
    )


@router.get(
    "/audit/export",
    "audit:view",
    transaction=False,
    responses={
        200: {
            "description": "The log, as a file.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/json": {"schema": _ENTRIES},
                "application/jsonl": {"schema": {"type": "string"}},
            },
        }
    },
)
async def export_audit_log(
    context: Ctx,
    caller: Caller,
    wanted: Wanted,
    format: Annotated[
        Literal["csv", "json", "jsonl"],
        Query(
            description="`csv` for tables, `json` for programs; `jsonl` with seals and checkpoints, for "
            "`edgeflow-cloud audit verify`."
        ),
    ] = "csv",
    after: Annotated[int, _SEQUENCE] = 0,
) -> StreamingResponse:
    """Download the log. CSV and JSON take the filters of `GET /audit`; JSON lines, the chain, take `after` only.

    The organization's plan must bring the export of the audit log (`feature_not_in_plan` says which one does).
    """
    if context.require_feature is not None:
        async with context.db.tenant_tx(caller) as tx:
            await context.require_feature(tx, caller, "audit_export")
    await _spend(context, caller)
    name = f"audit-{ids.encode(ids.ORGANIZATION, caller.tenant_id)}"
    if format != "jsonl" and after:
        raise Invalid(
            f"`after` goes with format=jsonl; use `from` and `to` with {format}.", code="filter_not_possible"
        )
    if format == "json":
        return _file(export.as_json(context, caller, wanted, _show), "application/json", f"{name}.json")
    if format == "csv":
        return _file(export.as_csv(context, caller, wanted), "text/csv; charset=utf-8", f"{name}.csv")
    if wanted != Filter():
        raise Invalid(
            "JSON lines hold the whole chain, which filters would break: leave them out, or take format=csv.",
            code="filter_not_possible",
        )
    head = await export.begin(context, caller, after)
    return _file(export.as_lines(context, caller, after, head), "application/jsonl", f"{name}.jsonl")


@router.get("/audit/verify", "audit:view", transaction=False)
async def verify_audit_log(
    context: Ctx, caller: Caller, after: Annotated[int, _SEQUENCE] = 0
) -> VerificationDocument:
    """Recompute the chain and hold it against every signed checkpoint.

    Takes at most about 20 s; `complete` says whether that was enough.
    """
    await _spend(context, caller)
    return VerificationDocument.model_validate(await verify(context, caller, after))


@router.get("/audit/checkpoints", "audit:view")
async def list_audit_checkpoints(tx: Tx, caller: Caller, context: Ctx, page: PageQuery) -> CheckpointListing:
    """The signed checkpoints, the newest first, and the public keys to verify them with."""
    found = await service.list_checkpoints(tx, caller, _page(page))
    signer = Signer(context.secrets, context.clock.now())
    return CheckpointListing(
        items=[_checkpoint(signed, caller.tenant_id) for signed in found.items],
        next_cursor=found.next_cursor,
        total=None,
        keys={key: to_pem(public) for key, public in signer.trusted.items()},
    )


def _page(page: PageParameters) -> Page:
    return Page(page.limit, page.offset, decode_cursor(page.cursor, length=1) if page.cursor else ())


def _checkpoint(signed: Signed, tenant_id: TenantId) -> CheckpointDocument:
    told = msgspec.json.decode(signed.document, type=Checkpoint)
    return CheckpointDocument(
        sequence=told.sequence,
        hash=told.hash,
        previous_sequence=None if told.previous is None else told.previous.sequence,
        made_at=datetime.fromisoformat(told.made_at),
        key_id=told.key_id,
        document=signed.document.decode(),
        signature=base64.b64encode(signed.signature).decode(),
        object_key=key_of(tenant_id, told.sequence),
    )


def _show(entry: Entry) -> bytes:
    return AuditEntryDocument.model_validate(entry).model_dump_json().encode()


def _file(chunks: AsyncIterator[bytes], media_type: str, name: str) -> StreamingResponse:
    return StreamingResponse(
        chunks, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


async def _spend(context: Context, caller: Principal) -> None:
    allowance = await context.limits.take(_HEAVY, str(caller.tenant_id))
    allowance.check("The log was verified or exported many times in the last minute; wait a little.")
