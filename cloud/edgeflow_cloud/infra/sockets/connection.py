"""WebSocket connections as the hub sees them: text messages in and out, bounded, closed with a reason.

The machine under it is picows: the least memory an idle connection. How connections come is in `upgrade`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport
from prometheus_client import Counter

from edgeflow_cloud.infra.observability import REGISTRY
from edgeflow_protocol.closing import CloseCode
from edgeflow_protocol.limits import MAX_FRAME_BYTES

CUT_READERS = Counter(
    "edgeflow_tunnel_cut_readers",
    "Connections that were cut because the device took nothing: 256 KiB or 128 messages were unsent.",
    registry=REGISTRY,
)
MAX_UNSENT_BYTES: Final = 256 * 1024
MAX_UNSENT_MESSAGES: Final = 128
MAX_UNSENT_IN_ALL = 24 * 1024 * 1024
"""Of all connections of this process; beyond it a quarter of the bound of one is too much for one."""
CLOSE_SECONDS: Final = 2.0
"""How long the other side may take to answer a close before its socket is cut."""
_ABNORMAL: Final = 1006
_NO_CODE: Final = 1005
_PROTOCOL_ERROR: Final = 1002


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


class Backlog:
    """Bytes that the readers of this process have not taken, as of the last message to each."""

    total = 0


backlog = Backlog()


class Connection(WSListener):
    """One WebSocket. `owner` is the receiver's own slot for what it keeps about it."""

    __slots__ = (
        "_closing",
        "_code",
        "_kept",
        "_origin",
        "_parts",
        "_receiver",
        "_transport",
        "_unsent",
        "address",
        "owner",
    )

    def __init__(self, receiver: Receiver, address_of: AddressOf, forwarded: str) -> None:
        self._receiver = receiver
        self._origin: tuple[AddressOf, str] | None = (address_of, forwarded)
        self._transport: WSTransport | None = None
        self._parts: list[bytes] | None = None
        self._unsent = 0
        self._kept = 0
        self._closing = False
        self._code = _ABNORMAL
        self.address = ""
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

        Full (256 KiB or 128 messages unsent; 64 KiB while all together have 24 MiB unsent) means: the reader is
        stalled, so it is cut; it will reconnect and find what it missed.
        """
        transport = self._transport
        if transport is None or self._closing:
            return False
        waiting = transport.underlying_transport.get_write_buffer_size()
        if waiting:
            self._unsent += 1
            backlog.total += waiting - self._kept
            self._kept = waiting
            most = MAX_UNSENT_BYTES if backlog.total < MAX_UNSENT_IN_ALL else MAX_UNSENT_BYTES // 4
            if waiting > most or self._unsent > MAX_UNSENT_MESSAGES:
                CUT_READERS.inc()
                self.abort()
                return False
        elif self._unsent:
            self._unsent = 0
            self._forget_backlog()
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
        if self._origin is not None:
            address_of, forwarded = self._origin
            self.address, self._origin = address_of(_peer(transport.underlying_transport), forwarded), None
        # picows keeps both HTTP heads for the life of the connection; nobody reads them again.
        transport.request.headers.clear()
        transport.response.headers.clear()
        self._receiver.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if transport.is_close_frame_sent and not self._closing:
            self._closing = True  # picows itself ended it: a protocol error, or a frame beyond all limits
        if kind == WSMsgType.TEXT and frame.fin and self._parts is None:
            if not self._closing:
                self._receiver.received(self, frame.get_payload_as_bytes())
        elif kind == WSMsgType.PING:
            # With something unsent no pong: a flood of pings must not fill the buffer of a stalled reader.
            if not self._closing and not self.unsent_bytes:
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
        self._forget_backlog()
        self._receiver.closed(self, self._code)

    def pause_writing(self) -> None:
        """Nothing: the bound is kept in `send`."""

    def resume_writing(self) -> None:
        """The other side reads again."""
        self._forget_backlog()

    def _forget_backlog(self) -> None:
        backlog.total -= self._kept
        self._kept = 0

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
            self.close(
                _PROTOCOL_ERROR, "A continuation without a beginning, or a beginning inside a message."
            )
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


def _peer(transport: asyncio.BaseTransport) -> str:
    """The other end's address; empty for a unix socket."""
    peer = cast(object, transport.get_extra_info("peername"))
    return str(cast(tuple[object, ...], peer)[0]) if isinstance(peer, tuple) and peer else ""
