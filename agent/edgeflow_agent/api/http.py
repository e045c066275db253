"""A small HTTP/1.1 server: JSON requests with a known length, bounded in size, time and number. Nothing else
is spoken.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import urllib.parse
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

_log = logging.getLogger(__name__)
_HEAD_LIMIT = 16 * 1024
_BODY_LIMIT = 1024 * 1024
_CONNECTIONS = 32
_REQUEST_SECONDS = 10.0
_IDLE_SECONDS = 30.0
_WORK_SECONDS = 60.0
_LINE = re.compile(r"(?P<method>[A-Z]{1,10}) (?P<target>/[\x21-\x7e]*) HTTP/1\.(?P<minor>[01])")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` is without query and still encoded; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    query: dict[str, str] = field(default_factory=dict)
    """The first value of each parameter, decoded."""

    @property
    def upgrades(self) -> bool:
        """Whether a WebSocket is asked for."""
        return self.headers.get("upgrade", "").lower() == "websocket"


@dataclass(frozen=True, slots=True)
class Response:
    """Status and a JSON value; or bytes, with their `Content-Type` in the headers."""

    status: int
    body: object
    headers: dict[str, str] = field(default_factory=dict)


Serve = Callable[[Request, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The answer to a request for a WebSocket that is let in: `serve` it, or as the server does by itself."""

    serve: Serve | None = None


Handle = Callable[[Request], Awaitable[Response | Upgrade]]


class _Bad(Exception):
    """Not HTTP as we speak it: answered with `status`, then closed."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class HttpServer:
    """Serves `handle` on one address. A request that breaks a limit is told so, and the connection ends."""

    def __init__(self, handle: Handle, serve: Serve | None = None) -> None:
        self._handle = handle
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (that the system chose, for 0). Raises OSError."""
        self._server = await asyncio.start_server(
            self._accept, host, port, limit=_HEAD_LIMIT, backlog=_CONNECTIONS
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close everything at once."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= _CONNECTIONS:
            writer.close()
            return
        self._connections.add(task)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The other side went or was too slow, or we stop: there is nobody to tell.
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether another may follow on this connection."""
        keep = False
        head_only = False
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                first = await reader.read(1)
            if not first:
                return False
            async with asyncio.timeout(_REQUEST_SECONDS):
                request, keep = await _read_request(first, reader)
            head_only = request.method == "HEAD"
            response = await self._answer(request)
            if isinstance(response, Upgrade):
                if (serve := response.serve or self._serve) is not None:
                    await serve(request, reader, writer)
                return False
        except _Bad as error:
            response, keep = Response(error.status, {"error": str(error)}), False
        async with asyncio.timeout(_REQUEST_SECONDS):
            writer.write(_render(response, keep, head_only))
            await writer.drain()
        return keep

    async def _answer(self, request: Request) -> Response | Upgrade:
        try:
            async with asyncio.timeout(_WORK_SECONDS):
                return await self._handle(request)
        except TimeoutError:
            return Response(504, {"error": "This took too long; it may still be going on."})
        except Exception:
            _log.exception("%s %s failed.", request.method, request.path)
            return Response(500, {"error": "The agent failed at this; its log says why."})


async def _read_request(first: bytes, reader: asyncio.StreamReader) -> tuple[Request, bool]:
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise _Bad(431, f"The request's headers are larger than {_HEAD_LIMIT} bytes.") from error
    lines = head[:-4].decode("latin-1").split("\r\n")
    start = _LINE.fullmatch(lines[0])
    if start is None:
        raise _Bad(400, "This is not an HTTP/1.1 request.")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not _NAME.fullmatch(name) or "\n" in value or "\r" in value or "\0" in value:
            raise _Bad(400, "A header line is malformed.")
        if name in headers and name in (
            "content-length",
            "host",
            "origin",
            "authorization",
            "transfer-encoding",
        ):
            raise _Bad(400, f"The header {name} is given twice.")
        headers[name] = value.strip()
    if start["minor"] == "1" and "host" not in headers:
        raise _Bad(400, "The request has no Host header.")
    if "transfer-encoding" in headers:
        raise _Bad(411, "Send the body with a Content-Length, not in chunks.")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise _Bad(400, "Content-Length is not a number.")
    if len(length) > 9 or int(length) > _BODY_LIMIT:
        raise _Bad(413, f"The body is larger than {_BODY_LIMIT} bytes.")
    if headers.get("expect", "").lower() == "100-continue":
        raise _Bad(417, "Send the body without waiting for a 100 Continue.")
    body = await reader.readexactly(int(length)) if int(length) else b""
    keep = start["minor"] == "1" and headers.get("connection", "").lower() != "close"
    path, _, query = start["target"].partition("?")
    values = {name: found[0] for name, found in urllib.parse.parse_qs(query, max_num_fields=50).items()}
    return Request(start["method"], path, headers, body, values), keep


def _render(response: Response, keep: bool, head_only: bool) -> bytes:
    with contextlib.suppress(ValueError):
        reason = HTTPStatus(response.status).phrase
        raw = response.body if isinstance(response.body, bytes) else None
        body = msgspec.json.encode(response.body) if raw is None else raw
        lines = [
            f"HTTP/1.1 {response.status} {reason}",
            *(["Content-Type: application/json"] if raw is None else []),
            f"Content-Length: {len(body)}",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            f"Connection: {'keep-alive' if keep else 'close'}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + (b"" if head_only else body)
    return b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
