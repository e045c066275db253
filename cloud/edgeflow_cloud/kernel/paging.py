"""Pages of a list: `limit`, and `cursor` (keyset) or `offset` (published)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import MalformedId

T = TypeVar("T")

DEFAULT_LIMIT, MAXIMUM_LIMIT = 50, 200


@dataclass(frozen=True, slots=True)
class Page:
    """What the caller asked for. `after` is the key of the last row already seen, decoded from the cursor."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """What the query found: at most `limit` rows, the cursor of the next page, and the whole count if asked."""

    items: list[T]
    next_cursor: str | None = None
    total: int | None = None


def encode_cursor(*key: str) -> str:
    """Make an opaque cursor from the last row's sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str, *, length: int) -> tuple[str, ...]:
    """Read a cursor of `length` parts back. Raises Invalid (`bad_cursor`) for anything that we did not make."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key = msgspec.json.decode(raw, type=tuple[str, ...])
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        key = ()
    if len(key) != length or any("\0" in part for part in key):
        raise Invalid("This cursor is not one of ours; start again without it.", code="bad_cursor")
    return key


def id_after(page: Page, prefix: str) -> UUID:
    """The id of the last row already seen, for lists that go by one id. Raises Invalid (`bad_cursor`)."""
    try:
        return ids.decode(prefix, page.after[0])
    except MalformedId:
        raise Invalid("This cursor is not one of ours; start again without it.", code="bad_cursor") from None
