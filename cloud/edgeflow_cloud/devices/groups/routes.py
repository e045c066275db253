"""Routes under /groups, with their bodies."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query, Response
from pydantic import Field, StringConstraints, model_validator

from edgeflow_cloud.devices import schemas
from edgeflow_cloud.devices import service as registry
from edgeflow_cloud.devices.groups import service
from edgeflow_cloud.devices.groups.model import GroupKind
from edgeflow_cloud.devices.model import Filter
from edgeflow_cloud.infra.http import (
    Body,
    Caller,
    Document,
    IfMatch,
    Listing,
    PageQuery,
    Router,
    Tx,
    show_version,
)
from edgeflow_cloud.kernel.ids import DeviceIdField, GroupIdField, ProjectIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor

router = Router(tag="groups")

Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Description = Annotated[str, StringConstraints(max_length=2000)]


class CreateGroup(Body):
    """A new group: dynamic with a query, fixed without."""

    name: Name
    description: Description = ""
    kind: GroupKind | None = Field(None, description="May be left out: a query makes it dynamic.")
    query: schemas.Query | None = Field(None, description="Who is in a dynamic group.")
    project_id: ProjectIdField | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.kind is not None and (self.kind is GroupKind.DYNAMIC) != (self.query is not None):
            raise ValueError("A dynamic group needs a query, and a fixed one has none.")
        return self


class UpdateGroup(Body):
    """What may change; an absent field stays as it is, and the kind always does."""

    name: Name | None = None
    description: Description | None = None
    query: schemas.Query | None = None
    project_id: ProjectIdField | None = Field(None, description="null takes it out of its project.")


class GroupDocument(Document):
    """A group, and how many devices are in it now; null when its query does not hold any more."""

    id: GroupIdField
    name: str
    description: str
    kind: GroupKind
    query: str | None
    project_id: ProjectIdField | None
    device_count: int | None
    version: int
    created_at: datetime
    updated_at: datetime


class Members(Body):
    """Devices."""

    device_ids: Annotated[list[DeviceIdField], Field(min_length=1, max_length=1_000)]


class MembersChanged(Document):
    """How many devices came in or went out."""

    changed: int


@router.get("/groups", "devices:view")
async def list_groups(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    project_id: Annotated[ProjectIdField | None, Query(description="Only groups of this project.")] = None,
) -> Listing[GroupDocument]:
    """The organization's groups, by name."""
    after = decode_cursor(page.cursor, length=2) if page.cursor else ()
    found = await service.list_groups(tx, caller, project_id, Page(page.limit, page.offset, after))
    return Listing(
        items=[GroupDocument.model_validate(group) for group in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.post("/groups", "devices:manage", creates=True)
async def create_group(tx: Tx, caller: Caller, body: CreateGroup) -> GroupDocument:
    """Make a group."""
    made = await service.create_group(
        tx,
        caller,
        name=body.name,
        description=body.description,
        query=body.query,
        project_id=body.project_id,
    )
    return GroupDocument.model_validate(made)


@router.get("/groups/{group_id}", "devices:view")
async def get_group(tx: Tx, caller: Caller, group_id: GroupIdField, response: Response) -> GroupDocument:
    """One group."""
    group = await service.get_group(tx, caller, group_id)
    show_version(response, group.version)
    return GroupDocument.model_validate(group)


@router.put("/groups/{group_id}", "devices:manage")
async def update_group(
    tx: Tx, caller: Caller, group_id: GroupIdField, body: UpdateGroup, version: IfMatch, response: Response
) -> GroupDocument:
    """Change name, description, project, or the query of a dynamic one."""
    group = await service.update_group(
        tx,
        caller,
        group_id,
        name=body.name,
        description=body.description,
        query=body.query,
        project_id=body.project_id if "project_id" in body.model_fields_set else "stay",
        version=version,
    )
    show_version(response, group.version)
    return GroupDocument.model_validate(group)


@router.delete("/groups/{group_id}", "resources:delete")
async def delete_group(tx: Tx, caller: Caller, group_id: GroupIdField) -> None:
    """Delete a group; its devices stay."""
    await service.delete_group(tx, caller, group_id)


@router.get("/groups/{group_id}/members", "devices:view")
async def list_group_members(
    tx: Tx, caller: Caller, group_id: GroupIdField, page: PageQuery
) -> Listing[schemas.DeviceDocument]:
    """The devices that are in it now, by name."""
    after = decode_cursor(page.cursor, length=3) if page.cursor else ()
    found = await registry.list_devices(
        tx, caller, Filter(group_id=group_id), Page(page.limit, page.offset, after)
    )
    return Listing(
        items=[schemas.DeviceDocument.model_validate(device) for device in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.put("/groups/{group_id}/members", "devices:manage")
async def add_group_members(tx: Tx, caller: Caller, group_id: GroupIdField, body: Members) -> MembersChanged:
    """Put devices into a fixed group; those that are in it stay."""
    return MembersChanged(changed=await service.change_members(tx, caller, group_id, add=body.device_ids))


@router.delete("/groups/{group_id}/members", "devices:manage", status=200)
async def remove_group_members(
    tx: Tx, caller: Caller, group_id: GroupIdField, body: Members
) -> MembersChanged:
    """Take devices out of a fixed group."""
    return MembersChanged(changed=await service.change_members(tx, caller, group_id, remove=body.device_ids))
