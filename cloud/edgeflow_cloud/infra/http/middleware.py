"""Around every request: an id, the headers that keep browsers safe, and a line in the log."""

import re
import time
from collections.abc import MutableMapping
from typing import cast

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edgeflow_cloud.kernel import ids

log = structlog.get_logger("edgeflow.http")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SAFETY = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        b"connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
    ),
]


class Envelope:
    """ASGI middleware: takes or makes `X-Request-Id`, adds the safety headers, logs what was slow or failed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["request_id"] = request_id
        started = time.perf_counter()

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _dress(message, request_id, scope)
                _log(scope, int(message["status"]), time.perf_counter() - started)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_dressed)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode()
    return ids.encode("req", ids.new())


def _dress(message: MutableMapping[str, object], request_id: str, scope: Scope) -> None:
    headers = cast("list[tuple[bytes, bytes]]", message.setdefault("headers", []))
    headers.append((b"x-request-id", request_id.encode()))
    headers.extend(_SAFETY)
    headers.extend(scope.get("edgeflow.headers", ()))
    if scope["path"].startswith("/api/") and not any(name == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-store"))


def _log(scope: Scope, status: int, seconds: float) -> None:
    level = log.warning if status >= 500 else log.info if seconds > 1 else log.debug
    level(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        milliseconds=round(seconds * 1000, 1),
    )
