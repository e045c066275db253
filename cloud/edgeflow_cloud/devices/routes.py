"""HTTP of the registry."""

from typing import Annotated

from fastapi import Query, Response

from edgeflow_cloud.devices import service, tagging
from edgeflow_cloud.devices.model import Filter, Status, Target
from edgeflow_cloud.devices.schemas import (
    CreatedDevice,
    CreateDevice,
    DeviceDocument,
    DeviceStatusDocument,
    Tag,
    TagDevices,
    TaggingDocument,
    UpdateDevice,
)
from edgeflow_cloud.infra.http import Caller, IfMatch, Listing, PageQuery, Router, Tx, show_version
from edgeflow_cloud.kernel.ids import DeviceIdField, ProjectIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor

router = Router(tag="devices")


@router.get("/devices", "devices:view")
async def list_devices(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    status: Annotated[Status | None, Query(description="Only devices in this status.")] = None,
    search: Annotated[
        str | None, Query(max_length=200, description="A part of the name, or a whole tag.")
    ] = None,
    project_id: Annotated[ProjectIdField | None, Query(description="Only devices of this project.")] = None,
    tag: Annotated[
        list[Tag] | None,
        Query(
            max_length=50, description="Only devices with this tag; given several times, with all of them."
        ),
    ] = None,
) -> Listing[DeviceDocument]:
    """The organization's devices, by name."""
    after = decode_cursor(page.cursor, length=2) if page.cursor else ()
    found = await service.list_devices(
        tx,
        caller,
        Filter(status, search or None, project_id, tuple(tag or ())),
        Page(page.limit, page.offset, after),
    )
    return Listing(
        items=[DeviceDocument.model_validate(device) for device in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.post("/devices", "devices:manage", creates=True)
async def create_device(tx: Tx, caller: Caller, body: CreateDevice) -> CreatedDevice:
    """Enter a device by hand. Its id and key are what the device is configured with."""
    device, key = await service.create_device(
        tx, caller, name=body.name, notes=body.notes, tags=body.tags, project_id=body.project_id
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
    asked = body.target
    target = Target(
        asked.all is True,
        None if asked.tags is None else tuple(asked.tags),
        None if asked.device_ids is None else tuple(asked.device_ids),
    )
    done = await tagging.tag_devices(tx, caller, target, add=body.add, remove=body.remove, dry_run=dry_run)
    return TaggingDocument.model_validate(done)


@router.get("/devices/{device_id}", "devices:view")
async def get_device(tx: Tx, caller: Caller, device_id: DeviceIdField, response: Response) -> DeviceDocument:
    """One device."""
    device = await service.find_device(tx, caller, device_id)
    show_version(response, device.version)
    return DeviceDocument.model_validate(device)


@router.put("/devices/{device_id}", "devices:manage")
async def update_device(
    tx: Tx, caller: Caller, device_id: DeviceIdField, body: UpdateDevice, version: IfMatch, response: Response
) -> DeviceDocument:
    """Change name, notes or tags."""
    device = await service.update_device(
        tx,
        caller,
        device_id,
        name=body.name,
        notes=body.notes,
        tags=body.tags,
        project_id=body.project_id if "project_id" in body.model_fields_set else "stay",
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
