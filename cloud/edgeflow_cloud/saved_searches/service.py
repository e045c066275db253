"""Use cases of saved searches, a verb each. Who may look at devices may keep searches; only shared ones are seen by
others, and only their maker, or who may manage devices, changes those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from edgeflow_cloud import audit
from edgeflow_cloud.devices import require_sound
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.http import require_version
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from edgeflow_cloud.kernel.ids import MalformedId, SavedSearchId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.saved_searches import queries

MOST_SEARCHES = 200
"""Of one person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedSearch:
    """A query with a name; `columns` and `sort` say how its answer is shown."""

    id: SavedSearchId
    name: str
    q: str
    sort: str | None
    columns: tuple[str, ...]
    shared: bool
    created_by: str
    version: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What people say of a search."""

    name: str
    q: str
    sort: str | None
    columns: Sequence[str]
    shared: bool


async def create_search(tx: Transaction, principal: Principal, wanted: Wanted) -> SavedSearch:
    """Raises QueryInvalid, Conflict (`search_name_taken`, `too_many_searches`)."""
    await require_sound(tx, principal, wanted.q)
    if await queries.count_searches(tx, principal.tenant_id, principal.wire_id) >= MOST_SEARCHES:
        raise Conflict(
            f"You have {MOST_SEARCHES} saved searches, which is the most. Delete one first.",
            code="too_many_searches",
        )
    search_id = SavedSearchId(ids.new())
    try:
        await queries.insert_search(
            tx,
            principal.tenant_id,
            search_id,
            wanted.name,
            wanted.q,
            wanted.sort,
            wanted.columns,
            wanted.shared,
            principal.wire_id,
        )
    except asyncpg.UniqueViolationError:
        raise _name_taken(wanted.name) from None
    made = await get_search(tx, principal, search_id)
    await audit.record(
        tx, principal, "saved_search.create", "saved_search", _wire(search_id), new=_written(made)
    )
    return made


async def get_search(tx: Transaction, principal: Principal, search_id: SavedSearchId) -> SavedSearch:
    """One's own or a shared one. Raises NotFound (`search_not_found`)."""
    row = await queries.select_search(tx, principal.tenant_id, search_id, principal.wire_id)
    if row is None:
        raise NotFound("There is no such saved search that you may see.", code="search_not_found")
    return _search(row)


async def list_searches(tx: Transaction, principal: Principal, page: Page) -> Slice[SavedSearch]:
    """One page of one's own and the shared ones, by name. Raises Invalid (`bad_cursor`)."""
    after_name, after_id = _position(page.after) if page.after else (None, None)
    rows = await queries.select_searches(
        tx,
        principal.tenant_id,
        principal.wire_id,
        after_name,
        after_id,
        0 if page.after else page.offset,
        page.limit + 1,
    )
    found = [_search(row) for row in rows[: page.limit]]
    more = len(rows) > page.limit
    return Slice(found, encode_cursor(found[-1].name, _wire(found[-1].id)) if more else None)


async def update_search(
    tx: Transaction, principal: Principal, search_id: SavedSearchId, wanted: Wanted, version: int | None
) -> SavedSearch:
    """Say all of it anew. Raises as `create_search`, and NotFound, Forbidden, Conflict (`version_conflict`)."""
    before = await get_search(tx, principal, search_id)
    _require_own(principal, before)
    require_version(version, before.version)
    await require_sound(tx, principal, wanted.q)
    try:
        await queries.update_search(
            tx,
            principal.tenant_id,
            search_id,
            wanted.name,
            wanted.q,
            wanted.sort,
            wanted.columns,
            wanted.shared,
        )
    except asyncpg.UniqueViolationError:
        raise _name_taken(wanted.name) from None
    row = await queries.select_search(tx, principal.tenant_id, search_id, before.created_by)
    after = before if row is None else _search(row)
    await audit.record(
        tx,
        principal,
        "saved_search.update",
        "saved_search",
        _wire(search_id),
        old=_written(before),
        new=_written(after),
    )
    return after


async def delete_search(tx: Transaction, principal: Principal, search_id: SavedSearchId) -> None:
    """Raises NotFound, Forbidden."""
    before = await get_search(tx, principal, search_id)
    _require_own(principal, before)
    await queries.delete_search(tx, principal.tenant_id, search_id)
    await audit.record(
        tx, principal, "saved_search.delete", "saved_search", _wire(search_id), old=_written(before)
    )


def _require_own(principal: Principal, search: SavedSearch) -> None:
    if search.created_by != principal.wire_id and not principal.may("devices:manage"):
        raise Forbidden(
            "This saved search is somebody else's. Save one of your own, or ask for devices:manage.",
            extra={"permission": "devices:manage"},
        )


def _name_taken(name: str) -> Conflict:
    return Conflict(
        f"There already is a saved search {name} of the same person. Choose another name.",
        code="search_name_taken",
        extra={"field": "name"},
    )


def _position(key: tuple[str, ...]) -> tuple[str, SavedSearchId]:
    try:
        return key[0], SavedSearchId(ids.decode(ids.SAVED_SEARCH, key[1]))
    except MalformedId:
        raise Invalid("This cursor is not one of ours; start again without it.", code="bad_cursor") from None


def _search(row: Row) -> SavedSearch:
    fields = dict(row)
    fields["columns"] = tuple(fields["columns"])
    return SavedSearch(**fields)


def _written(search: SavedSearch) -> dict[str, object]:
    return {"name": search.name, "q": search.q, "shared": search.shared}


def _wire(search_id: SavedSearchId) -> str:
    return ids.encode(ids.SAVED_SEARCH, search_id)
