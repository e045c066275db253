"""`ETag` and `If-Match`: whoever edits names the version that they saw."""

from typing import Annotated

from fastapi import Depends, Header, Response

from edgeflow_cloud.kernel.errors import Conflict, Invalid


def show_version(response: Response, version: int) -> None:
    """Put the version into the answer's `ETag`."""
    response.headers["ETag"] = f'"{version}"'


async def _if_match(  # a coroutine, so that no thread is asked for it
    if_match: Annotated[
        str | None,
        Header(
            description='The `ETag` that the change is based on, like `"3"`. Without it the last writer wins.'
        ),
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid('If-Match must be an ETag that this resource has shown, like "3".', code="bad_if_match")
    return int(text)


IfMatch = Annotated[int | None, Depends(_if_match)]
"""The version named by `If-Match`, or None when the caller does not care."""


def require_version(wanted: int | None, current: int) -> None:
    """Raise Conflict (`version_conflict`) when the caller saw another version."""
    if wanted is not None and wanted != current:
        raise Conflict(
            f"This was changed meanwhile: you saw version {wanted}, it is at version {current}. "
            "Read it again and repeat your change; nothing was changed.",
            code="version_conflict",
            extra={"current_version": current},
        )
