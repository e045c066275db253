"""How connections come: on a port of our own, or out of the hands of uvicorn on the one port.

`listen` opens a port of our own; `websocket_protocol` makes the class that uvicorn is given as `ws`, so that
`/tunnel` lives on the one port beside REST, while every other WebSocket path (`/live`) goes to uvicorn's
ordinary implementation. The latter uses picows' private constructor and takes the socket away from uvicorn:
`cloud/tests/tunnel/test_transport.py` pins both.

A request with an `Origin` header comes from a browser and is refused: browsers have no business on the
tunnel. No extension is negotiated, hence no per-message deflate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ssl import SSLContext
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from picows import (
    WSAutoPingStrategy,
    WSListener,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,  # pyright: ignore[reportUnknownVariableType]
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # private: pinned by a test
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from edgeflow_cloud.infra.sockets.connection import AddressOf, Connection, Receiver
from edgeflow_protocol.limits import MAX_FRAME_BYTES

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

PATH: Final = "/tunnel"
READ_BUFFER_BYTES: Final = 2048
HANDSHAKE_SECONDS: Final = 10.0
# picows cuts what is larger without a word of ours; up to here we read it, say what is wrong and close.
_HARD_MAX_BYTES: Final = 2 * MAX_FRAME_BYTES


class QuietLogger:
    """What picows logs to: nothing. A stdlib logger would make it build a child logger per connection."""

    def isEnabledFor(self, _level: int) -> bool:
        return False

    def log(self, *_: object, **__: object) -> None:
        """Nothing."""

    debug = info = warning = error = exception = log


_quiet = QuietLogger()


def _peer_address(peer: str, _forwarded: str) -> str:
    """The socket's own peer: for a server without a trusted proxy before it."""
    return peer


async def listen(
    receiver: Receiver,
    host: str,
    port: int,
    *,
    address_of: AddressOf = _peer_address,
    ssl: SSLContext | None = None,
    backlog: int = 1024,
) -> asyncio.Server:
    """Open a port that serves only `/tunnel`; port 0 takes a free one."""

    def accept(request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        if refusal := refuse(request.path.decode("latin-1"), "Origin" in request.headers):
            status, text = refusal
            response = WSUpgradeResponse.create_error_response(status, text.encode())
            return WSUpgradeResponseWithListener(response, None)
        return Connection(receiver, address_of, request.headers.get("X-Forwarded-For", ""))

    create_server = cast("Callable[..., Awaitable[asyncio.Server]]", ws_create_server)
    return await create_server(
        accept,
        host,
        port,
        logger_name=cast(str, _quiet),
        websocket_handshake_timeout=HANDSHAKE_SECONDS,
        enable_auto_pong=False,
        max_frame_size=_HARD_MAX_BYTES,
        read_buffer_init_size=READ_BUFFER_BYTES,
        use_aiofastnet=False,
        ssl=ssl,
        backlog=backlog,
    )


def refuse(target: str, has_origin: bool) -> tuple[HTTPStatus, str] | None:
    """Why an upgrade request is not for the tunnel, or None when it is."""
    if urlsplit(target).path != PATH:
        return HTTPStatus.NOT_FOUND, f"Devices connect to {PATH}."
    if has_origin:
        return HTTPStatus.FORBIDDEN, "The tunnel is for devices; browsers use /live."
    return None


def websocket_protocol(
    receiver: Callable[[], Receiver | None], address_of: AddressOf = _peer_address
) -> type[asyncio.Protocol]:
    """The class for uvicorn's `ws=`: `/tunnel` to `receiver()`, all other paths to uvicorn's own WebSockets.

    `receiver()` is None while the hub does not accept (starting, draining): the upgrade is answered with 503.
    """

    class WebSocketProtocol(asyncio.Protocol):
        """One upgraded connection, until it is known whose it is. uvicorn forgets it; draining is the
        hub's.
        """

        def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, object]) -> None:
            self._arguments = (config, server_state, app_state)
            self._transport: asyncio.Transport | None = None
            self._target: asyncio.BaseProtocol | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport = cast(asyncio.Transport, transport)

        def data_received(self, data: bytes) -> None:
            # uvicorn calls this once, with the whole head; more can only come before the protocol is swapped.
            if self._target is None:
                self._choose(data)
            elif isinstance(self._target, asyncio.BufferedProtocol):
                _feed(self._target, data)
            elif isinstance(self._target, asyncio.Protocol):
                self._target.data_received(data)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._target is not None:
                self._target.connection_lost(exc)

        def _choose(self, head: bytes) -> None:
            transport = self._transport
            if transport is None:
                return
            target, headers = _parse_head(head)
            if urlsplit(target).path != PATH:
                config, state, app_state = self._arguments
                ordinary = WebSocketsSansIOProtocol(config, state, app_state)
                self._hand_over(transport, ordinary)
                ordinary.data_received(head)
                return
            hub = receiver()
            refusal = refuse(target, "origin" in headers)
            if hub is None and refusal is None:
                refusal = (
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "The cloud restarts; connect again in a few seconds.",
                )
            if refusal is not None or hub is None:
                transport.write(_plain_answer(*cast(tuple[HTTPStatus, str], refusal)))
                transport.close()
                return
            swift = _picows_protocol(Connection(hub, address_of, headers.get("x-forwarded-for", "")))
            self._hand_over(transport, swift)
            _feed(swift, _small_head(headers))

        def _hand_over(self, transport: asyncio.Transport, target: asyncio.BaseProtocol) -> None:
            self._target = target
            target.connection_made(transport)
            # After this call uvicorn sets its own protocol once more, so ours must come later.
            asyncio.get_running_loop().call_soon(transport.set_protocol, target)

    return WebSocketProtocol


def _picows_protocol(connection: Connection) -> asyncio.BufferedProtocol:
    """picows' server-side protocol for a socket that somebody else accepted (arguments by position:
    private).
    """

    def accept(_request: object) -> Connection:
        return connection

    make = cast("Callable[..., asyncio.BufferedProtocol]", WSProtocol)
    return make(
        None,  # host and port: client side only
        None,  # path: client side only
        False,  # is_client_side
        accept,
        _quiet,
        True,  # disconnect_on_exception
        HANDSHAKE_SECONDS,
        False,  # enable_auto_ping
        10,
        10,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        False,  # enable_auto_pong: `on_ws_frame` answers pings
        _HARD_MAX_BYTES,
        None,  # extra_headers
        READ_BUFFER_BYTES,
    )


def _feed(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    """Give bytes to a buffered protocol, as the event loop does."""
    rest = memoryview(data)
    while rest:
        room = cast(memoryview, protocol.get_buffer(len(rest)))
        count = min(len(room), len(rest))
        room[:count] = rest[:count]
        protocol.buffer_updated(count)
        rest = rest[count:]


def _parse_head(head: bytes) -> tuple[str, dict[str, str]]:
    """Request target and headers (names in lower case) of the head that uvicorn has parsed and put
    together.
    """
    lines = head.decode("latin-1").split("\r\n")
    target = lines[0].split(" ")[1]
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, separator, value = line.partition(":")
        if separator:
            headers[name.strip().lower()] = value.strip()
    return target, headers


def _small_head(headers: dict[str, str]) -> bytes:
    """The part of an upgrade request that picows needs; it keeps what it is given for the connection's
    life.
    """
    kept = ("sec-websocket-key", "sec-websocket-version")
    lines = [f"GET {PATH} HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"{name}: {headers[name]}" for name in kept if name in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _plain_answer(status: HTTPStatus, text: str) -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
