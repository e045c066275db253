"""The web server that all http-in nodes of this device share: opened with the first route, closed with the last."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar
from urllib.parse import unquote

import h11
from msgspec import Struct

from ...node import NodeError
from .addresses import read_address

ADDRESS = "EDGEFLOW_AGENT_FLOWS_ADDRESS"
DEFAULT = "127.0.0.1:1880"
BODY_LIMIT = 4 * 1024 * 1024
PATIENCE = 60.0
CONNECTIONS = 200


class Request(Struct):
    """What came: the path without its query, decoded query text, headers in small letters."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    address: str


class Response(Struct):
    """What goes back."""

    status: int = 200
    headers: dict[str, str] = {}
    body: bytes = b""


Answer = Callable[[Request, Mapping[str, str]], Awaitable[Response]]


class Route(Struct):
    """A path of a node; `:name` in it stands for any one part."""

    method: str
    parts: tuple[str, ...]
    answer: Answer

    def match(self, request: Request) -> dict[str, str] | None:
        """The values of its names, if the request is for it."""
        if self.method not in ("ALL", request.method):
            return None
        given = _split(request.path)
        if len(given) != len(self.parts):
            return None
        values: dict[str, str] = {}
        for part, text in zip(self.parts, given, strict=True):
            if part.startswith(":"):
                values[part[1:]] = text
            elif part != text:
                return None
        return values


class Listener:
    """One per process and event loop."""

    _current: ClassVar[Listener | None] = None

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._routes: list[Route] = []
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def add(cls, method: str, path: str, answer: Answer) -> Route:
        """Serve a path from now on. Raises NodeError when it is taken, or the address is."""
        current = cls._current
        if current is None:
            _, host, port, _ = read_address(os.environ.get(ADDRESS) or DEFAULT, 1880, ("http",))
            current = cls._current = cls(host, port)
            current._opening = asyncio.ensure_future(current._open())
        try:
            await asyncio.shield(current._opening)
        except NodeError:
            cls._current = None if cls._current is current else cls._current
            raise
        if cls._current is not current:  # The last route went while this one waited.
            return await cls.add(method, path, answer)
        route = Route(method.upper() or "ALL", tuple(_split(path)), answer)
        if any(route.parts == other.parts and route.method == other.method for other in current._routes):
            await cls.remove(None)
            raise NodeError(f"Another node of this device serves {route.method} {path} already.")
        current._routes.append(route)
        return route

    @classmethod
    async def remove(cls, route: Route | None) -> None:
        """Serve it no more; the last one closes the server."""
        current = cls._current
        if current is None:
            return
        current._routes = [each for each in current._routes if each is not route]
        if not current._routes:
            cls._current = None
            await current._close()

    async def _open(self) -> None:
        try:
            self._server = await asyncio.start_server(self._accept, self.host, self.port)
        except OSError as error:
            raise NodeError(
                f"Flows cannot be served at {self.host}:{self.port}: {error.strerror or error}. "
                f"Set {ADDRESS} to another address."
            ) from None

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= CONNECTIONS:
            writer.close()
            return
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, TimeoutError, h11.ProtocolError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        while True:
            async with asyncio.timeout(PATIENCE):
                try:
                    request = await _read(connection, reader, address)
                except h11.RemoteProtocolError as error:
                    await _write(
                        connection, writer, Response(error.error_status_hint, {}, b"Bad request"), ""
                    )
                    return
            if request is None:
                return
            if len(request.body) > BODY_LIMIT:
                response = Response(413, {}, f"A body may have {BODY_LIMIT >> 20} MiB.".encode())
            else:
                response = await self._find(request)
            await _write(connection, writer, response, request.method)
            if connection.our_state is h11.MUST_CLOSE or len(request.body) > BODY_LIMIT:
                return
            connection.start_next_cycle()

    async def _find(self, request: Request) -> Response:
        for route in self._routes:
            values = route.match(request)
            if values is not None:
                return await route.answer(request, values)
        return Response(404, {}, b"No flow of this device serves this path.")


async def _read(connection: h11.Connection, reader: asyncio.StreamReader, address: str) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_LIMIT:
                break
        elif isinstance(event, h11.EndOfMessage):
            break
        else:
            return None
    if head is None:
        return None
    path, _, query = head.target.decode("ascii", "replace").partition("?")
    headers = {name.decode("ascii", "replace"): value.decode("latin-1") for name, value in head.headers}
    return Request(head.method.decode("ascii", "replace"), path, query, headers, bytes(body), address)


async def _write(
    connection: h11.Connection, writer: asyncio.StreamWriter, response: Response, method: str
) -> None:
    headers = {
        name.lower(): value for name, value in response.headers.items() if name.lower() != "transfer-encoding"
    }
    headers.setdefault("content-type", "text/plain; charset=utf-8")
    headers["content-length"] = str(len(response.body))
    try:
        parts = [
            connection.send(
                h11.Response(
                    status_code=response.status,
                    headers=[
                        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
                        for name, value in headers.items()
                    ],
                )
            ),
            connection.send(h11.Data(data=response.body)) if method != "HEAD" and response.body else b"",
            connection.send(h11.EndOfMessage()),
        ]
    except h11.LocalProtocolError:
        writer.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        raise
    writer.write(b"".join(part for part in parts if part))
    async with asyncio.timeout(PATIENCE):
        await writer.drain()


def _split(path: str) -> list[str]:
    return [unquote(part) for part in path.strip("/").split("/")]
