"""Routes under /projects, with their bodies."""

from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import StringConstraints

from edgeflow_cloud.infra.http import (
    Body,
    Caller,
    Ctx,
    Document,
    IfMatch,
    Listing,
    PageQuery,
    Router,
    Tx,
    show_version,
)
from edgeflow_cloud.kernel.ids import ProjectIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.organizations.projects import service

router = Router(tag="projects")

Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Description = Annotated[str, StringConstraints(max_length=2000)]


class CreateProject(Body):
    """A new project."""

    name: Name
    description: Description = ""


class UpdateProject(Body):
    """What to change; an absent field stays."""

    name: Name | None = None
    description: Description | None = None


class ProjectDocument(Document):
    """A group of devices inside the organization."""

    id: ProjectIdField
    name: str
    description: str
    version: int
    created_at: datetime
    updated_at: datetime


@router.get("/projects", "projects:view")
async def list_projects(tx: Tx, caller: Caller, page: PageQuery) -> Listing[ProjectDocument]:
    """The organization's projects, by name. `GET /devices?project_id=…` lists what is in one."""
    after = decode_cursor(page.cursor, length=2) if page.cursor else ()
    found = await service.list_projects(tx, caller, Page(page.limit, page.offset, after))
    return Listing(
        items=[ProjectDocument.model_validate(item) for item in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.post("/projects", "projects:manage", creates=True)
async def create_project(body: CreateProject, tx: Tx, caller: Caller, ctx: Ctx) -> ProjectDocument:
    """Add a project. Put devices into it with `PUT /devices/{device_id}` and `project_id`."""
    made = await service.create_project(
        tx, caller, name=body.name, description=body.description, now=ctx.clock.now()
    )
    return ProjectDocument.model_validate(made)


@router.get("/projects/{project_id}", "projects:view")
async def get_project(
    project_id: ProjectIdField, tx: Tx, caller: Caller, response: Response
) -> ProjectDocument:
    """One project."""
    found = await service.find_project(tx, caller, project_id)
    show_version(response, found.version)
    return ProjectDocument.model_validate(found)


@router.put("/projects/{project_id}", "projects:manage")
async def update_project(
    project_id: ProjectIdField,
    body: UpdateProject,
    tx: Tx,
    caller: Caller,
    ctx: Ctx,
    version: IfMatch,
    response: Response,
) -> ProjectDocument:
    """Change name or description."""
    changed = await service.update_project(
        tx,
        caller,
        project_id,
        name=body.name,
        description=body.description,
        version=version,
        now=ctx.clock.now(),
    )
    show_version(response, changed.version)
    return ProjectDocument.model_validate(changed)


@router.delete("/projects/{project_id}", "resources:delete")
async def delete_project(project_id: ProjectIdField, tx: Tx, caller: Caller) -> None:
    """Delete a project. Its devices stay in the organization, in no project."""
    await service.delete_project(tx, caller, project_id)
