"""HTTP of the registry."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Response

from edgeflow_cloud.devices import service, tagging
from edgeflow_cloud.devices.groups.service import with_dynamic_groups
from edgeflow_cloud.devices.matching.queries import SORTS
from edgeflow_cloud.devices.matching.service import count, describe
from edgeflow_cloud.devices.model import Filter, Sort, Status
from edgeflow_cloud.devices.schemas import (
    CheckQuery,
    CreatedDevice,
    CreateDevice,
    DeviceDocument,
    DeviceStatusDocument,
    QueryFault,
    QueryFieldDocument,
    QueryFields,
    QueryVerdict,
    Tag,
    TagDevices,
    TaggingDocument,
    UpdateDevice,
)
from edgeflow_cloud.devices.suspicions import find_suspicion
from edgeflow_cloud.infra.http import Caller, Ctx, IfMatch, Listing, PageQuery, Router, Tx, show_version
from edgeflow_cloud.kernel.ids import DeviceIdField, GroupIdField, ProjectIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.query_language import QueryInvalid

router = Router(tag="devices")


Sorting = Annotated[
    str,
    Query(
        pattern=f"^-?({'|'.join(SORTS)})$",
        description=f"By what, ascending; descending with a - before it: {', '.join(SORTS)}.",
    ),
]


@router.get("/devices", "devices:view")
async def list_devices(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    q: Annotated[
        str | None, Query(max_length=4_000, description="Only devices that this query matches.")
    ] = None,
    status: Annotated[Status | None, Query(description="Only devices in this status.")] = None,
    search: Annotated[
        str | None, Query(max_length=200, description="A part of the name, or a whole tag.")
    ] = None,
    project_id: Annotated[ProjectIdField | None, Query(description="Only devices of this project.")] = None,
    group_id: Annotated[GroupIdField | None, Query(description="Only devices of this group.")] = None,
    tag: Annotated[
        list[Tag] | None,
        Query(
            max_length=50, description="Only devices with this tag; given several times, with all of them."
        ),
    ] = None,
    sort: Sorting = "name",
    total: Annotated[bool, Query(description="Whether the first page counts all; false is faster.")] = True,
) -> Listing[DeviceDocument]:
    """The organization's devices."""
    after = decode_cursor(page.cursor, length=3) if page.cursor else ()
    wanted = Filter(
        status, search or None, project_id, tuple(tag or ()), group_id, ((q or "").strip() and q) or None
    )
    found = await service.list_devices(
        tx,
        caller,
        wanted,
        Page(page.limit, page.offset, after),
        Sort(sort.removeprefix("-"), sort.startswith("-")),
        total=total,
    )
    return Listing(
        items=[DeviceDocument.model_validate(device) for device in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.get("/devices/query-fields", "devices:view")
async def list_query_fields(tx: Tx, caller: Caller) -> QueryFields:
    """What the query language can ask, for completion. Values are named where there are few."""
    return QueryFields(items=[QueryFieldDocument.model_validate(item) for item in await describe(tx, caller)])


@router.post("/devices/query-check", "devices:view")
async def check_query(tx: Tx, caller: Caller, body: CheckQuery) -> QueryVerdict:
    """Whether a query is understood, and how many devices it matches. Changes nothing."""
    try:
        return QueryVerdict(valid=True, error=None, matches=await count(tx, caller, body.q))
    except QueryInvalid as error:
        return QueryVerdict(valid=False, error=QueryFault.model_validate(error), matches=None)


@router.post("/devices", "devices:manage", creates=True)
async def create_device(tx: Tx, caller: Caller, body: CreateDevice) -> CreatedDevice:
    """Enter a device by hand. Its id and key are what the device is configured with."""
    device, key = await service.create_device(
        tx,
        caller,
        name=body.name,
        notes=body.notes,
        tags=body.tags,
        project_id=body.project_id,
        place=body.place and body.place.place(),
    )
    return CreatedDevice(**DeviceDocument.model_validate(device).model_dump(), api_key=key)


@router.post("/devices/tags", "devices:manage")
async def tag_devices(
    tx: Tx,
    caller: Caller,
    body: TagDevices,
    dry_run: Annotated[bool, Query(description="Only count; change nothing.")] = False,
) -> TaggingDocument:
    """Give tags to many devices, or take them away: at most 1,000 devices a call, all of them or none."""
    done = await tagging.tag_devices(
        tx, caller, body.target.target(), add=body.add, remove=body.remove, dry_run=dry_run
    )
    return TaggingDocument.model_validate(done)


@router.get("/devices/{device_id}", "devices:view")
async def get_device(
    tx: Tx, caller: Caller, context: Ctx, device_id: DeviceIdField, response: Response
) -> DeviceDocument:
    """One device, with all of its groups, and whether its key seems to be in two boxes."""
    device = await with_dynamic_groups(tx, caller, await service.find_device(tx, caller, device_id))
    since = await find_suspicion(tx, caller, device_id, context.clock.now())
    device = replace(device, clone_suspected_since=since)
    show_version(response, device.version)
    return DeviceDocument.model_validate(device)


@router.put("/devices/{device_id}", "devices:manage")
async def update_device(
    tx: Tx, caller: Caller, device_id: DeviceIdField, body: UpdateDevice, version: IfMatch, response: Response
) -> DeviceDocument:
    """Change name, notes, tags, place or project."""
    device = await service.update_device(
        tx,
        caller,
        device_id,
        name=body.name,
        notes=body.notes,
        tags=body.tags,
        project_id=body.project_id if "project_id" in body.model_fields_set else "stay",
        place=(body.place and body.place.place()) if "place" in body.model_fields_set else "stay",
        version=version,
    )
    show_version(response, device.version)
    return DeviceDocument.model_validate(device)


@router.delete("/devices/{device_id}", "resources:delete")
async def delete_device(tx: Tx, caller: Caller, device_id: DeviceIdField) -> None:
    """Remove a device with its shadow, commands and keys. Its tunnel is closed and its key is dead."""
    await service.delete_device(tx, caller, device_id)


@router.get("/devices/{device_id}/status", "devices:view")
async def get_device_status(tx: Tx, caller: Caller, device_id: DeviceIdField) -> DeviceStatusDocument:
    """Whether the device is connected right now."""
    return DeviceStatusDocument.model_validate(await service.find_device(tx, caller, device_id))
