"""HTTP of the inventory: the registry as a CSV file, in and out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from edgeflow_cloud.devices import Filter, Status
from edgeflow_cloud.infra.http import Caller, Ctx, Router, Tx
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.inventory import service, writer
from edgeflow_cloud.inventory.model import Draft, Outcome, draft
from edgeflow_cloud.inventory.reader import read
from edgeflow_cloud.inventory.schemas import ImportedLine, ImportReport
from edgeflow_cloud.kernel.ids import GroupIdField, ProjectIdField

router = Router(tag="devices")

EXPORTS = Limit("devices-export", 20, 60)
"""Exports a minute of one caller: each reads the whole registry."""


@router.post(
    "/devices/import", "devices:manage", creates=True, table=True, responses={200: {"model": ImportReport}}
)
async def import_devices(
    tx: Tx,
    caller: Caller,
    request: Request,
    response: Response,
    dry_run: Annotated[bool, Query(description="Only say what would come of it; change nothing.")] = False,
) -> ImportReport:
    """Enter and change devices by a CSV file of up to 5,000 lines and 1 MiB. Lines that are refused change nothing and
    say why; all others go through, together. A line is about the device of its `device_id`, or else of exactly its
    name; where there is none of that name, it makes one, and its row here has the key, this once. Columns that the file
    has not stay as they are; an empty cell empties. 201 when devices were made, 200 when none.
    """
    kind = request.headers.get("content-type", "text/csv")
    drafts = await asyncio.to_thread(_read, await request.body(), kind)
    report = await service.import_devices(tx, caller, drafts, dry_run=dry_run)
    if dry_run or not report.count(Outcome.CREATED):
        response.status_code = 200
    return ImportReport(
        dry_run=dry_run,
        created=report.count(Outcome.CREATED),
        updated=report.count(Outcome.UPDATED),
        unchanged=report.count(Outcome.UNCHANGED),
        failed=report.count(Outcome.FAILED),
        rows=[ImportedLine.model_validate(row) for row in report.rows],
    )


@router.get(
    "/devices/export",
    "devices:view",
    transaction=False,
    responses={
        200: {
            "description": "The devices, as a file that POST /devices/import reads.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
async def export_devices(
    context: Ctx,
    caller: Caller,
    q: Annotated[
        str | None, Query(max_length=4_000, description="Only devices that this query matches.")
    ] = None,
    status: Annotated[Status | None, Query(description="Only devices in this status.")] = None,
    search: Annotated[str | None, Query(max_length=200, description="A part of the name, or a tag.")] = None,
    project_id: Annotated[ProjectIdField | None, Query(description="Only devices of this project.")] = None,
    group_id: Annotated[GroupIdField | None, Query(description="Only devices of this group.")] = None,
    separator: Annotated[
        Literal["comma", "semicolon"], Query(description="`semicolon` for a German Excel.")
    ] = "comma",
) -> StreamingResponse:
    """Download the devices as CSV, UTF-8 with its mark. Where a cell would be a formula to a spreadsheet, an apostrophe
    stands before it; the import takes it away again.
    """
    allowance = await context.limits.take(EXPORTS, caller.wire_id)
    allowance.check("Too many exports in a minute; wait a moment.")
    wanted = Filter(status, search or None, project_id, (), group_id, ((q or "").strip() and q) or None)
    parts = writer.pages(context, caller, wanted, ";" if separator == "semicolon" else ",")
    first = await anext(parts)  # here a query that is not understood is still an answer of its own
    return StreamingResponse(
        _behind(first, parts),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="devices.csv"', "Cache-Control": "no-store"},
    )


async def _behind(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


def _read(body: bytes, kind: str) -> list[Draft]:
    sheet = read(body, kind)
    return [draft(line, decimal_comma=sheet.separator == ";") for line in sheet.lines]
