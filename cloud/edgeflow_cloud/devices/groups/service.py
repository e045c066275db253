"""Use cases of groups, a verb each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import asyncpg

from edgeflow_cloud import audit, organizations
from edgeflow_cloud.devices.events import GroupChanged
from edgeflow_cloud.devices.groups import queries
from edgeflow_cloud.devices.groups.model import Group, GroupKind, no_such_group
from edgeflow_cloud.devices.matching import queries as matching
from edgeflow_cloud.devices.matching import service as language
from edgeflow_cloud.devices.model import Device
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.http import require_version
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Invalid
from edgeflow_cloud.kernel.ids import DeviceId, GroupId, MalformedId, ProjectId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.query_language import QueryInvalid, parse

MOST_GROUPS = 500
"""Of one organization: each page of groups counts what its dynamic ones match."""
MOST_DYNAMIC_SHOWN = 100
"""Dynamic groups that one device is held against when it is shown."""


async def create_group(
    tx: Transaction,
    principal: Principal,
    *,
    name: str,
    description: str,
    query: str | None,
    project_id: ProjectId | None,
) -> Group:
    """A new group, dynamic when it has a query. Raises Conflict (`group_name_taken`, `too_many_groups`), QueryInvalid,
    Invalid (`group_in_group`), NotFound (`project_not_found`).
    """
    await _require_sound(tx, principal, query)
    if await queries.count_groups(tx, principal.tenant_id, None) >= MOST_GROUPS:
        raise Conflict(
            f"An organization has at most {MOST_GROUPS} groups. Delete one first, or use tags.",
            code="too_many_groups",
        )
    group_id = GroupId(ids.new())
    try:
        await queries.insert_group(tx, principal.tenant_id, group_id, name, description, query, project_id)
    except asyncpg.UniqueViolationError:
        raise _name_taken(name) from None
    except asyncpg.ForeignKeyViolationError:
        raise organizations.no_such_project() from None
    made = await get_group(tx, principal, group_id)
    await _note(tx, principal, "group.create", group_id, new=_written(made))
    return made


async def get_group(tx: Transaction, principal: Principal, group_id: GroupId) -> Group:
    """The group, counted. Raises NotFound (`group_not_found`)."""
    row = await queries.select_group(tx, principal.tenant_id, group_id)
    if row is None:
        raise no_such_group()
    return await _counted(tx, principal, row)


async def list_groups(
    tx: Transaction, principal: Principal, project_id: ProjectId | None, page: Page
) -> Slice[Group]:
    """One page, by name, each counted. Raises Invalid (`bad_cursor`)."""
    after_name, after_id = _position(page.after) if page.after else (None, None)
    rows = await queries.select_groups(
        tx,
        principal.tenant_id,
        project_id,
        after_name,
        after_id,
        0 if page.after else page.offset,
        page.limit + 1,
    )
    groups = [await _counted(tx, principal, row) for row in rows[: page.limit]]
    more = len(rows) > page.limit
    return Slice(
        groups,
        encode_cursor(groups[-1].name, _wire(groups[-1].id)) if more else None,
        None if page.after else await queries.count_groups(tx, principal.tenant_id, project_id),
    )


async def update_group(
    tx: Transaction,
    principal: Principal,
    group_id: GroupId,
    *,
    name: str | None,
    description: str | None,
    query: str | None,
    project_id: ProjectId | Literal["stay"] | None,
    version: int | None,
) -> Group:
    """Change it; None leaves a field, but for `project_id`. Its kind stays. Raises as `create_group`, and Invalid
    (`group_is_fixed`) for a query of a fixed one, Conflict (`version_conflict`), NotFound (`group_not_found`).
    """
    current = await queries.lock_group(tx, principal.tenant_id, group_id)
    if current is None:
        raise no_such_group()
    require_version(version, current)
    before = await get_group(tx, principal, group_id)
    if query is not None and before.kind is GroupKind.FIXED:
        raise Invalid(
            "A fixed group has members and no query. Make a dynamic group for the query.",
            code="group_is_fixed",
        )
    await _require_sound(tx, principal, query)
    wanted = before.name if name is None else name
    try:
        await queries.update_group(
            tx,
            principal.tenant_id,
            group_id,
            wanted,
            before.description if description is None else description,
            before.query if query is None else query,
            before.project_id if project_id == "stay" else project_id,
        )
    except asyncpg.UniqueViolationError:
        raise _name_taken(wanted) from None
    except asyncpg.ForeignKeyViolationError:
        raise organizations.no_such_project() from None
    after = await get_group(tx, principal, group_id)
    await _note(tx, principal, "group.update", group_id, old=_written(before), new=_written(after))
    return after


async def delete_group(tx: Transaction, principal: Principal, group_id: GroupId) -> None:
    """Delete the group; its devices stay. Raises NotFound (`group_not_found`)."""
    before = await get_group(tx, principal, group_id)
    await queries.delete_group(tx, principal.tenant_id, group_id)
    await _note(tx, principal, "group.delete", group_id, old=_written(before))


async def change_members(
    tx: Transaction,
    principal: Principal,
    group_id: GroupId,
    *,
    add: Sequence[DeviceId] = (),
    remove: Sequence[DeviceId] = (),
) -> int:
    """Put devices into a fixed group, or take them out; how many that changed. Ids of no device here are passed over.

    Raises NotFound (`group_not_found`), Invalid (`group_is_dynamic`).
    """
    if await queries.lock_group(tx, principal.tenant_id, group_id) is None:
        raise no_such_group()
    row = await queries.select_group(tx, principal.tenant_id, group_id)
    if row is not None and row["query"] is not None:
        raise Invalid(
            f"Who is in {row['name']} is said by its query. Change the query, or use a fixed group.",
            code="group_is_dynamic",
        )
    added = await queries.insert_members(tx, principal.tenant_id, group_id, add) if add else []
    removed = await queries.delete_members(tx, principal.tenant_id, group_id, remove) if remove else []
    if added or removed:
        await _note(
            tx,
            principal,
            "group.members_change",
            group_id,
            old={"removed": _all_wire(removed)},
            new={"added": _all_wire(added)},
        )
    return len(added) + len(removed)


async def find_groups(
    tx: Transaction, principal: Principal, words: Sequence[str]
) -> dict[str, tuple[GroupId, str, bool]]:
    """The groups of these names, in any letter case, or ids: word in lower case -> (id, name, whether it is fixed)."""
    lowered = [word.lower() for word in words]
    rows = await queries.select_groups_called(tx, principal.tenant_id, lowered, language.ids_among(lowered))
    return {
        word: (GroupId(row["id"]), row["name"], row["query"] is None)
        for row in rows
        for word in (row["name"].lower(), _wire(row["id"]))
    }


async def with_dynamic_groups(tx: Transaction, principal: Principal, device: Device) -> Device:
    """The device with the names of the dynamic groups that it is in now behind those of the fixed ones."""
    names = list(device.groups or ())
    for row in await queries.select_dynamic(tx, principal.tenant_id, MOST_DYNAMIC_SHOWN):
        found = language.begin(principal)
        try:
            asked = await language.add_query(tx, principal, found, row["query"])
        except QueryInvalid:
            continue  # the group itself says what is wrong with its query
        found.where = f"d.id = {found.bind(device.device_id, 'uuid')} and {asked}"
        if await matching.count_matching(tx, found):
            names.append(row["name"])
    return replace(device, groups=tuple(names) or None)


async def _require_sound(tx: Transaction, principal: Principal, query: str | None) -> None:
    """Raises QueryInvalid, or Invalid where a dynamic group would stand in another's query."""
    if query is None:
        return
    words = language.group_words(parse(query))
    inner = await queries.select_groups_called(tx, principal.tenant_id, words, language.ids_among(words))
    dynamic = next((row["name"] for row in inner if row["query"] is not None), None)
    if dynamic is not None:
        raise Invalid(
            f"{dynamic} is a dynamic group, and a group's query may name fixed groups only. "
            f"Write what {dynamic} asks into this query.",
            code="group_in_group",
        )
    await language.add_query(tx, principal, language.begin(principal), query)


async def _counted(tx: Transaction, principal: Principal, row: Row) -> Group:
    fields = dict(row)
    fields["kind"] = GroupKind(fields["kind"])
    if fields["query"] is not None:
        try:
            fields["device_count"] = await language.count(tx, principal, fields["query"])
        except QueryInvalid:
            fields["device_count"] = None
    return Group(**fields)


def _position(key: tuple[str, ...]) -> tuple[str, GroupId]:
    try:
        return key[0], GroupId(ids.decode(ids.GROUP, key[1]))
    except MalformedId:
        raise Invalid("This cursor is not one of ours; start again without it.", code="bad_cursor") from None


def _name_taken(name: str) -> Conflict:
    return Conflict(
        f"There already is a group {name}. Choose another name.",
        code="group_name_taken",
        extra={"field": "name"},
    )


async def _note(
    tx: Transaction,
    principal: Principal,
    action: str,
    group_id: GroupId,
    *,
    old: dict[str, object] | None = None,
    new: dict[str, object] | None = None,
) -> None:
    await audit.record(tx, principal, action, "group", _wire(group_id), old=old, new=new)
    await announce(tx, GroupChanged(tenant_id=principal.tenant_id, group_id=group_id))


def _written(group: Group) -> dict[str, object]:
    project = None if group.project_id is None else ids.encode(ids.PROJECT, group.project_id)
    return {"name": group.name, "description": group.description, "query": group.query, "project_id": project}


def _all_wire(devices: Sequence[DeviceId]) -> list[str]:
    return [ids.encode(ids.DEVICE, item) for item in devices]


def _wire(group_id: GroupId) -> str:
    return ids.encode(ids.GROUP, group_id)
