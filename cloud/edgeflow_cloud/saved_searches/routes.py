"""Routes under /saved-searches, with their bodies."""

from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import Field, StringConstraints

from edgeflow_cloud.devices import SORTS
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
from edgeflow_cloud.kernel.ids import SavedSearchIdField
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.query_language import Query
from edgeflow_cloud.saved_searches import service
from edgeflow_cloud.saved_searches.service import Wanted

router = Router(tag="saved searches")

Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Sort = Annotated[str, StringConstraints(pattern=f"^-?({'|'.join(SORTS)})$")]


class SaveSearch(Body):
    """A query with a name."""

    name: Name
    q: Query
    sort: Sort | None = None
    columns: Annotated[list[Column], Field(max_length=30)] = Field(default_factory=list[str])
    shared: bool = Field(False, description="Whether everybody in the organization sees it.")

    def wanted(self) -> Wanted:
        """The same as a value."""
        return Wanted(name=self.name, q=self.q, sort=self.sort, columns=self.columns, shared=self.shared)


class SavedSearchDocument(Document):
    """A saved search; `created_by` is a person or an API key."""

    id: SavedSearchIdField
    name: str
    q: str
    sort: str | None
    columns: list[str]
    shared: bool
    created_by: str
    version: int
    created_at: datetime


@router.get("/saved-searches", "devices:view")
async def list_searches(tx: Tx, caller: Caller, page: PageQuery) -> Listing[SavedSearchDocument]:
    """One's own searches and those that others share, by name."""
    after = decode_cursor(page.cursor, length=2) if page.cursor else ()
    found = await service.list_searches(tx, caller, Page(page.limit, page.offset, after))
    return Listing(
        items=[SavedSearchDocument.model_validate(item) for item in found.items],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.post("/saved-searches", "devices:view", creates=True)
async def create_search(tx: Tx, caller: Caller, body: SaveSearch) -> SavedSearchDocument:
    """Keep a query."""
    return SavedSearchDocument.model_validate(await service.create_search(tx, caller, body.wanted()))


@router.get("/saved-searches/{search_id}", "devices:view")
async def get_search(
    tx: Tx, caller: Caller, search_id: SavedSearchIdField, response: Response
) -> SavedSearchDocument:
    """One saved search."""
    found = await service.get_search(tx, caller, search_id)
    show_version(response, found.version)
    return SavedSearchDocument.model_validate(found)


@router.put("/saved-searches/{search_id}", "devices:view")
async def update_search(
    tx: Tx,
    caller: Caller,
    search_id: SavedSearchIdField,
    body: SaveSearch,
    version: IfMatch,
    response: Response,
) -> SavedSearchDocument:
    """Say all of it anew. One's own; a shared one of somebody else only with `devices:manage`."""
    found = await service.update_search(tx, caller, search_id, body.wanted(), version)
    show_version(response, found.version)
    return SavedSearchDocument.model_validate(found)


@router.delete("/saved-searches/{search_id}", "devices:view")
async def delete_search(tx: Tx, caller: Caller, search_id: SavedSearchIdField) -> None:
    """Forget one's own, or with `devices:manage` a shared one."""
    await service.delete_search(tx, caller, search_id)
