"""Bounds of one call: how big its body, how deep its JSON, how many calls."""

import asyncio
import re

from starlette.requests import ClientDisconnect, Request

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.kernel.errors import Invalid, Problem
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_protocol.errors import FrameError
from edgeflow_protocol.limits import check_depth

ADDRESS_LIMIT = Limit("address", 600, 60)
"""Calls a minute from one address that nobody is logged in on."""
CALLER_LIMIT = Limit("caller", 6_000, 60, burst=1_000, lease=20)
"""Calls a minute of one person, program or device."""
BODY_LIMIT = 1024 * 1024
BODY_SECONDS = 60.0
_DROPPED = 8 * BODY_LIMIT
DEPTH_LIMIT = 32
_SAID_TOO_LARGE = "The body is larger than 1 MiB. Send less at once."
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class TooLarge(Problem):
    """The body is over the limit."""

    status, code, title = 413, "body_too_large", "Body too large"


class TooSlow(Problem):
    """The body does not come."""

    status, code, title = 408, "body_too_slow", "Request timeout"


async def spend(context: Context, request: Request, principal: Principal | None) -> None:
    """Count this call. Raises TooMany when the caller's or the address's minute is used up."""
    if principal is None:
        address = request.client.host if request.client else "unknown"
        allowance = await context.limits.take(ADDRESS_LIMIT, address)
    else:
        allowance = await context.limits.take(CALLER_LIMIT, principal.wire_id)
    request.scope["edgeflow.headers"] = [
        (name.lower().encode(), value.encode())
        for name, value in allowance.headers().items()
        if name != "Retry-After"
    ]
    allowance.check(f"Too many requests; wait {max(1, round(allowance.retry_after + 0.499))} s and go on.")


async def read_body(request: Request, *, json: bool = True) -> bytes:
    """The whole body, read before any transaction is opened. Raises TooLarge, TooSlow and, for what is to be JSON,
    Invalid (`too_deep`).
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _collect(request)
    except TimeoutError:
        raise TooSlow(
            f"The body did not come within {BODY_SECONDS:.0f} s. Send it again, on a better line or in parts.",
            headers={"Connection": "close"},
        ) from None
    except ClientDisconnect:  # nobody reads this answer, but the log need not call it our fault
        raise Problem("The connection ended before the body did.", code="body_cut_off") from None
    request._body = body  # pyright: ignore[reportPrivateUsage] - Starlette's own cache: FastAPI reads the body from here
    if not json:
        return body
    try:
        check_depth(body, DEPTH_LIMIT)
    except FrameError:
        raise Invalid(
            f"The body nests deeper than {DEPTH_LIMIT} levels. Flatten it.", code="too_deep"
        ) from None
    return body


async def _collect(request: Request) -> bytes:
    """The body. One that is too large is read on for a while and dropped: who is still sending sees no answer."""
    pieces: list[bytes] = []
    size = 0
    too_large = int_or_zero(request.headers.get("content-length")) > BODY_LIMIT
    if too_large and "expect" in request.headers:  # it asks before it sends
        raise TooLarge(_SAID_TOO_LARGE, headers={"Connection": "close"})
    async for piece in request.stream():
        size += len(piece)
        too_large = too_large or size > BODY_LIMIT
        if too_large and size > _DROPPED:
            break
        if not too_large:
            pieces.append(piece)
    if too_large:
        raise TooLarge(_SAID_TOO_LARGE, headers={"Connection": "close"})
    return b"".join(pieces)


def refuse_nul(body: bytes) -> None:
    """Text that we store cannot hold U+0000. Raises Invalid (`nul_character`)."""
    if b"\\u0000" in body and _NUL.search(body):
        raise Invalid("Text may not hold the character U+0000. Remove it.", code="nul_character")


def int_or_zero(text: str | None) -> int:
    """A header's number, or 0 when it is absent or not one."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else 0
