"""Use cases on projects."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from edgeflow_cloud import audit, quotas
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.http import require_version
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Invalid, NotFound
from edgeflow_cloud.kernel.ids import MalformedId, ProjectId, TenantId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.organizations.events import ProjectChanged
from edgeflow_cloud.organizations.projects import queries


@dataclass(frozen=True, slots=True)
class Project:
    """A named group; `version` is its ETag."""

    tenant_id: TenantId
    id: ProjectId
    name: str
    description: str
    version: int
    created_at: datetime
    updated_at: datetime


async def create_project(
    tx: Transaction, principal: Principal, *, name: str, description: str, now: datetime
) -> Project:
    """Add a project, `project.create`. Raises Conflict (`project_name_taken`), QuotaExceeded."""
    await quotas.reserve(tx, principal, quotas.Resource.PROJECTS)
    row = await queries.insert_project(tx, principal.tenant_id, ProjectId(ids.new()), name, description, now)
    if row is None:
        raise _name_taken(name)
    made = _project(row)
    await _note(tx, principal, "project.create", made.id, new=_written(made))
    return made


async def find_project(tx: Transaction, principal: Principal, project_id: ProjectId) -> Project:
    """One project. Raises NotFound (`project_not_found`), also for another organization's."""
    row = await queries.select_project(tx, principal.tenant_id, project_id)
    if row is None:
        raise no_such_project()
    return _project(row)


async def list_projects(tx: Transaction, principal: Principal, page: Page) -> Slice[Project]:
    """One page, by name. Raises Invalid (`bad_cursor`)."""
    after_name, after_id = _position(page.after) if page.after else (None, None)
    rows = await queries.select_projects(
        tx,
        principal.tenant_id,
        after_name=after_name,
        after_id=after_id,
        offset=0 if page.after else page.offset,
        limit=page.limit + 1,
    )
    found = [_project(row) for row in rows[: page.limit]]
    return Slice(
        found,
        encode_cursor(found[-1].name, _wire(found[-1].id)) if len(rows) > page.limit else None,
        None if page.after else await queries.count_projects(tx, principal.tenant_id),
    )


async def update_project(
    tx: Transaction,
    principal: Principal,
    project_id: ProjectId,
    *,
    name: str | None,
    description: str | None,
    version: int | None,
    now: datetime,
) -> Project:
    """Change name or description, `project.update`; None stays. Raises NotFound, Conflict
    (`project_name_taken`, `version_conflict`).
    """
    row = await queries.lock_project(tx, principal.tenant_id, project_id)
    if row is None:
        raise no_such_project()
    before = _project(row)
    require_version(version, before.version)
    wanted = before.name if name is None else name
    try:
        changed = await queries.update_project(
            tx,
            principal.tenant_id,
            project_id,
            wanted,
            before.description if description is None else description,
            now,
        )
    except asyncpg.UniqueViolationError:
        raise _name_taken(wanted) from None
    if changed is None:
        raise no_such_project()
    after = _project(changed)
    await _note(tx, principal, "project.update", project_id, old=_written(before), new=_written(after))
    return after


async def delete_project(tx: Transaction, principal: Principal, project_id: ProjectId) -> None:
    """Delete a project, `project.delete`; its devices stay. Raises NotFound (`project_not_found`)."""
    row = await queries.delete_project(tx, principal.tenant_id, project_id)
    if row is None:
        raise no_such_project()
    await _note(tx, principal, "project.delete", project_id, old=_written(_project(row)))


async def find_projects(tx: Transaction, principal: Principal, words: Sequence[str]) -> dict[str, ProjectId]:
    """The projects that `words` name, by name in any letter case or by id: word in lower case -> project."""
    lowered = [word.lower() for word in words]
    asked: list[ProjectId] = []
    for word in lowered:
        with suppress(MalformedId):
            asked.append(ProjectId(ids.decode(ids.PROJECT, word)))
    rows = await queries.select_projects_called(tx, principal.tenant_id, lowered, asked)
    return {word: ProjectId(row["id"]) for row in rows for word in (row["name"].lower(), _wire(row["id"]))}


async def name_projects(
    tx: Transaction, principal: Principal, project_ids: Sequence[ProjectId]
) -> dict[ProjectId, str]:
    """The names of projects; one that is gone is left out."""
    rows = await queries.select_projects_called(tx, principal.tenant_id, [], project_ids)
    return {ProjectId(row["id"]): row["name"] for row in rows}


def no_such_project() -> NotFound:
    """The one answer for a missing project and for another organization's."""
    return NotFound("There is no such project in this organization.", code="project_not_found")


def _name_taken(name: str) -> Conflict:
    return Conflict(
        f"There already is a project {name}. Choose another name.",
        code="project_name_taken",
        extra={"field": "name"},
    )


async def _note(
    tx: Transaction,
    principal: Principal,
    action: str,
    project_id: ProjectId,
    *,
    old: dict[str, object] | None = None,
    new: dict[str, object] | None = None,
) -> None:
    await audit.record(tx, principal, action, "project", _wire(project_id), old=old, new=new)
    await announce(tx, ProjectChanged(tenant_id=principal.tenant_id, project_id=project_id))


def _position(key: tuple[str, ...]) -> tuple[str, ProjectId]:
    try:
        return key[0], ProjectId(ids.decode(ids.PROJECT, key[1]))
    except MalformedId:
        raise Invalid("This cursor is not one of ours; start again without it.", code="bad_cursor") from None


def _project(row: Row) -> Project:
    return Project(**dict(row))


def _written(project: Project) -> dict[str, object]:
    return {"name": project.name, "description": project.description}


def _wire(project_id: ProjectId) -> str:
    return ids.encode(ids.PROJECT, project_id)
