"""Shapes that bodies share: strict input, plain output, problems, pages."""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from edgeflow_cloud.kernel.paging import DEFAULT_LIMIT, MAXIMUM_LIMIT

ItemT = TypeVar("ItemT")


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie between the years 1 and 9999 in UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its zone, as UTC: the years at both ends of the calendar have hours that UTC cannot name."""


class Body(BaseModel):
    """Base of what people send: a field that we do not know is refused by name."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Document(BaseModel):
    """Base of what we answer."""

    model_config = ConfigDict(from_attributes=True)


class Listing(Document, Generic[ItemT]):
    """One page of a list."""

    items: list[ItemT]
    next_cursor: str | None = Field(
        None, description="Pass as `cursor` for the next page; null on the last one."
    )
    total: int | None = Field(None, description="How many there are in all, where counting is cheap.")


class FieldProblem(Document):
    """One refused field."""

    field: str
    message: str


class ProblemDocument(Document):
    """RFC 9457, and the published `error` string."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    error: str
    request_id: str
    errors: list[FieldProblem] | None = None


def problem(description: str) -> dict[str, object]:
    """The documentation of a status that is answered as a problem document."""
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }


Problems: dict[int | str, dict[str, object]] = {
    400: problem("The request cannot be read"),
    401: problem("Nobody is known to be asking"),
    403: problem("The caller lacks the named permission"),
    404: problem("There is no such thing here"),
    408: problem("The body did not come in time"),
    409: problem("The state or version does not allow it; nothing changed"),
    413: problem("The body is larger than 1 MiB"),
    415: problem("The body is not sent as plain JSON"),
    422: problem("A field is not acceptable; `errors` names it"),
    429: problem("A limit is reached; `Retry-After` says when to come back"),
    503: problem("A part that we stand on is away; try again"),
}


class PageParameters(BaseModel):
    """`limit`, and `cursor` or `offset`."""

    limit: int
    cursor: str | None
    offset: int


async def _page(  # a coroutine, so that no thread is asked for it
    limit: Annotated[int, Query(ge=1, le=MAXIMUM_LIMIT, description="How many at most.")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=500, description="`next_cursor` of the page before.")
    ] = None,
    offset: Annotated[
        int, Query(ge=0, le=1_000_000, description="How many to skip; ignored with `cursor`.")
    ] = 0,
) -> PageParameters:
    return PageParameters(limit=limit, cursor=cursor, offset=offset)


PageQuery = Annotated[PageParameters, Depends(_page)]
