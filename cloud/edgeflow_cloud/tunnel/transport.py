"""WebSocket connections as the hub sees them: text messages in and out, bounded, closed with a reason.

The machine under it is picows (9 KiB an idle connection). Two ways in: `listen` opens a port of our own;
`websocket_protocol` makes the class that uvicorn is given as `ws`, so that `/tunnel` lives on the one port
beside REST, while every other WebSocket path (`/live`) goes to uvicorn's ordinary implementation. The
latter uses picows' private constructor and takes the socket away from uvicorn:
`tests/tunnel/test_transport.py` pins both.

A request with an `Origin` header comes from a browser and is refused: browsers have no business on the
tunnel. No extension is negotiated, hence no per-message deflate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ssl import SSLContext
from typing import TYPE_CHECKING, Final, Protocol, cast
from urllib.parse import urlsplit

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,  # pyright: ignore[reportUnknownVariableType]
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # private: pinned by a test
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from edgeflow_protocol.closing import CloseCode
from edgeflow_protocol.limits import MAX_FRAME_BYTES

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

PATH: Final = "/tunnel"
MAX_UNSENT_BYTES: Final = 256 * 1024
MAX_UNSENT_MESSAGES: Final = 128
READ_BUFFER_BYTES: Final = 2048
HANDSHAKE_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 2.0
"""How long the other side may take to answer a close before its socket is cut."""

# picows cuts what is larger without a word of ours; up to here we read it, say what is wrong and close.
_HARD_MAX_BYTES: Final = 2 * MAX_FRAME_BYTES
_ABNORMAL: Final = 1006
_NO_CODE: Final = 1005


class Receiver(Protocol):
    """Whoever owns connections. All calls come from the event loop and must return at once."""

    def opened(self, connection: Connection) -> None:
        """A handshake is complete."""
        ...

    def received(self, connection: Connection, message: bytes) -> None:
        """One whole text message; longer than MAX_FRAME_BYTES if the other side ignores the limit."""
        ...

    def closed(self, connection: Connection, code: int) -> None:
        """The socket is gone. `code` is the other side's close code, 1006 when it went without one."""
        ...


AddressOf = Callable[[str, str], str]
"""(peer address, X-Forwarded-For or empty) -> the address that counts."""


def peer_address(peer: str, _forwarded: str) -> str:
    """The socket's own peer: for a server without a trusted proxy before it."""
    return peer


class QuietLogger:
    """What picows logs to: nothing. A stdlib logger would make it build a child logger per connection."""

    def isEnabledFor(self, _level: int) -> bool:
        return False

    def debug(self, *_: object, **__: object) -> None: ...
    def info(self, *_: object, **__: object) -> None: ...
    def warning(self, *_: object, **__: object) -> None: ...
    def error(self, *_: object, **__: object) -> None: ...
    def exception(self, *_: object, **__: object) -> None: ...
    def log(self, *_: object, **__: object) -> None: ...


_quiet = QuietLogger()


class Connection(WSListener):
    """One WebSocket. `owner` is the receiver's own slot for what it keeps about it."""

    __slots__ = ("_closing", "_code", "_parts", "_receiver", "_transport", "_unsent", "address", "owner")

    def __init__(self, receiver: Receiver, address: str = "") -> None:
        self._receiver = receiver
        self._transport: WSTransport | None = None
        self._parts: list[bytes] | None = None
        self._unsent = 0
        self._closing = False
        self._code = _ABNORMAL
        self.address = address
        self.owner: object = None

    # --- what the receiver calls

    @property
    def is_open(self) -> bool:
        """Whether a message may still be sent: connected, and neither side has begun to close."""
        return self._transport is not None and not self._closing

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the other side has not taken yet (beyond what the kernel holds)."""
        if self._transport is None:
            return 0
        return self._transport.underlying_transport.get_write_buffer_size()

    def send(self, message: bytes) -> bool:
        """Send one text message. False: the connection is closing, or was cut now because it takes nothing.

        Full (256 KiB or 128 messages unsent) means: the reader is stalled, so it is cut; it will reconnect
        and find what it missed.
        """
        transport = self._transport
        if transport is None or self._closing:
            return False
        waiting = transport.underlying_transport.get_write_buffer_size()
        if waiting:
            self._unsent += 1
            if waiting > MAX_UNSENT_BYTES or self._unsent > MAX_UNSENT_MESSAGES:
                self.abort()
                return False
        else:
            self._unsent = 0
        transport.send(WSMsgType.TEXT, message)
        return True

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye, wait up to CLOSE_SECONDS for the answer, cut. Later messages are ignored both ways.

        The wait matters: cutting a socket that still has unread input makes the kernel throw away our last
        words.
        """
        transport = self._transport
        if transport is None or self._closing:
            return
        self._closing = True
        transport.send_close(cast(WSCloseCode, code), reason.encode()[:123].decode(errors="ignore"))
        self.resume_reading()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, transport.disconnect, False)

    def abort(self) -> None:
        """Cut without a word."""
        if self._transport is not None:
            self._closing = True
            self._transport.disconnect(False)

    def pause_reading(self) -> None:
        """Take nothing more from the socket: the other side waits in its own buffers."""
        if self._transport is not None and self._transport.underlying_transport.is_reading():
            self._transport.underlying_transport.pause_reading()

    def resume_reading(self) -> None:
        """Take messages again."""
        transport = self._transport
        if transport is not None and not transport.is_disconnected:
            underlying = transport.underlying_transport
            if not underlying.is_reading() and not underlying.is_closing():
                underlying.resume_reading()

    # --- what picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        _forget_headers(transport)
        self._receiver.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if transport.is_close_frame_sent and not self._closing:
            self._closing = True  # picows itself ended it: a protocol error, or a frame beyond all limits
        if kind == WSMsgType.TEXT and frame.fin and self._parts is None:
            if not self._closing:
                self._receiver.received(self, frame.get_payload_as_bytes())
        elif kind == WSMsgType.PING:
            if not self._closing:
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            self._on_close(transport, frame)
        elif kind in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._collect(frame)
        elif kind == WSMsgType.BINARY:
            self.close(CloseCode.INVALID_TEXT, CloseCode.INVALID_TEXT.meaning)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self._closing = True
        self._parts = None
        self._receiver.closed(self, self._code)

    def pause_writing(self) -> None:
        """The bound is kept in `send`; nothing to do."""

    def resume_writing(self) -> None:
        """The bound is kept in `send`; nothing to do."""

    def _on_close(self, transport: WSTransport, frame: WSFrame) -> None:
        self._code = int(cast(int, frame.get_close_code())) or _NO_CODE
        if not self._closing:
            self._closing = True
            echo = self._code if self._code != _NO_CODE else CloseCode.NORMAL
            transport.send_close(cast(WSCloseCode, int(echo)))
        transport.disconnect()

    def _collect(self, frame: WSFrame) -> None:
        """Put fragments together; a message that grows beyond the limit is handed on as far as it came."""
        if self._closing:
            return
        starts = frame.msg_type == WSMsgType.TEXT
        if starts == (self._parts is not None):
            self.close(1002, "A continuation without a beginning, or a beginning inside a message.")
            return
        parts = self._parts = self._parts if self._parts is not None else []
        parts.append(frame.get_payload_as_bytes())
        whole = sum(map(len, parts)) > MAX_FRAME_BYTES or len(parts) > MAX_UNSENT_MESSAGES
        if frame.fin or whole:
            self._parts = None
            message = b"".join(parts)
            if whole and len(message) <= MAX_FRAME_BYTES:
                self.close(CloseCode.TOO_LARGE, "The message has too many fragments.")
            else:
                self._receiver.received(self, message)


def _forget_headers(transport: WSTransport) -> None:
    """picows keeps both HTTP heads for the life of the connection; nobody reads them again."""
    transport.request.headers.clear()
    transport.response.headers.clear()


async def listen(
    receiver: Receiver,
    host: str,
    port: int,
    *,
    address_of: AddressOf = peer_address,
    ssl: SSLContext | None = None,
    backlog: int = 1024,
) -> asyncio.Server:
    """Open a port that serves only `/tunnel`; port 0 takes a free one."""

    def accept(request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        if refusal := refuse(request.path.decode("latin-1"), "Origin" in request.headers):
            status, text = refusal
            response = WSUpgradeResponse.create_error_response(status, text.encode())
            return WSUpgradeResponseWithListener(response, None)
        return _Direct(receiver, address_of, request.headers.get("X-Forwarded-For", ""))

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


class _Direct(Connection):
    """A connection on a port of our own: it learns the peer's address when the socket is there."""

    __slots__ = ("_address_of", "_forwarded")

    def __init__(self, receiver: Receiver, address_of: AddressOf, forwarded: str) -> None:
        super().__init__(receiver)
        self._address_of: AddressOf | None = address_of
        self._forwarded = forwarded

    def on_ws_connected(self, transport: WSTransport) -> None:
        if self._address_of is not None:
            self.address = self._address_of(_peer(transport.underlying_transport), self._forwarded)
            self._address_of, self._forwarded = None, ""
        super().on_ws_connected(transport)


def refuse(target: str, has_origin: bool) -> tuple[HTTPStatus, str] | None:
    """Why an upgrade request is not for the tunnel, or None when it is."""
    if urlsplit(target).path != PATH:
        return HTTPStatus.NOT_FOUND, f"Devices connect to {PATH}."
    if has_origin:
        return HTTPStatus.FORBIDDEN, "The tunnel is for devices; browsers use /live."
    return None


def websocket_protocol(
    receiver: Callable[[], Receiver | None], address_of: AddressOf = peer_address
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
            address = address_of(_peer(transport), headers.get("x-forwarded-for", ""))
            swift = _picows_protocol(Connection(hub, address))
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


def _peer(transport: asyncio.BaseTransport) -> str:
    """The other end's address; empty for a unix socket."""
    peer = cast(object, transport.get_extra_info("peername"))
    return str(cast(tuple[object, ...], peer)[0]) if isinstance(peer, tuple) and peer else ""
