"""Cursors of lists that go by one id."""

from uuid import UUID

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import MalformedId
from edgeflow_cloud.kernel.paging import Page


def id_after(page: Page, prefix: str) -> UUID:
    """The id of the last row already seen. Raises Invalid (`bad_cursor`)."""
    try:
        return ids.decode(prefix, page.after[0])
    except MalformedId:
        raise Invalid(
            "This cursor is not one of ours; start again without it.", code="bad_cursor"
        ) from None
