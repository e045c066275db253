"""The other end of many connections, as lean as asyncio allows: the generator must not be what is measured.

A WebSocket client with a fixed key and a mask of zeros (allowed, and it costs nothing to apply), and an MQTT 3.1.1
client of QoS 0. Each tells its `Owner` when it is in, when an echo came, when anything else came, when it ended.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

UPGRADE = (
    b"GET /tunnel HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PONG = b'{"type":"pong"}'
CONNECTED = b'{"type":"connected"'


def text(payload: bytes) -> bytes:
    """A client's text frame."""
    return _frame(0x81, payload)


def _frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


PING = text(b'{"type":"ping"}')


class Owner(Protocol):
    """Who has the connections."""

    def joined(self, end: End) -> None:
        """It is in."""
        ...

    def echoed(self, end: End) -> None:
        """Its ping was answered."""
        ...

    def said(self, end: End, message: bytes) -> None:
        """Anything else came."""
        ...

    def ended(self, end: End) -> None:
        """It is gone."""
        ...


class End(asyncio.Protocol):
    """One connection. `number` is the device's place in the fleet."""

    __slots__ = ("inside", "number", "owner", "rest", "state", "transport")

    ping: bytes = PING

    def __init__(self, owner: Owner, number: int) -> None:
        self.owner = owner
        self.number = number
        self.inside = False
        self.rest = b""
        self.transport: asyncio.Transport | None = None
        self.state: object = None

    def write(self, data: bytes) -> None:
        """Send, unless it is gone."""
        if self.transport is not None:
            self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.owner.ended(self)


class Tunnel(End):
    """A device's WebSocket. `connect` is its first frame, empty for a bare server that asks nothing."""

    __slots__ = ("connect", "upgraded")

    def __init__(self, owner: Owner, number: int, connect: bytes) -> None:
        super().__init__(owner, number)
        self.connect = connect
        self.upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(UPGRADE)

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
            self.rest = b""
        if not self.upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.rest = data
                return
            if not data.startswith(b"HTTP/1.1 101"):
                self.write_close()
                return
            self.upgraded = True
            if self.connect:
                self.write(self.connect)
            else:
                self._join()
            data = data[end + 4 :]
        while len(data) >= 2:
            size, start = data[1] & 0x7F, 2
            if size == 126:
                size, start = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(data[2:10], "big"), 10
            end = start + size
            if len(data) < end:
                break
            if data[0] == 0x81:
                self._take(data[start:end])
            data = data[end:]
        self.rest = data

    def _take(self, message: bytes) -> None:
        if message == PONG:
            self.owner.echoed(self)
        elif not self.inside and message.startswith(CONNECTED):
            self._join()
        else:
            self.owner.said(self, message)

    def _join(self) -> None:
        self.inside = True
        self.owner.joined(self)

    def write_close(self) -> None:
        """End it."""
        if self.transport is not None:
            self.transport.close()


class Mqtt(End):
    """A client that subscribes to a topic of its own and publishes to it: a round trip through the broker."""

    __slots__ = ("ping", "topic")  # a ping of its own

    def __init__(self, owner: Owner, number: int, password: str = "") -> None:
        super().__init__(owner, number)
        self.topic = f"d/{number}".encode()
        body = len(self.topic).to_bytes(2, "big") + self.topic + b'{"type":"ping"}'
        self.ping = b"\x30" + bytes((len(body),)) + body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        name = f"c{self.number}".encode()
        body = b"\0\x04MQTT\x04\x02\0\0" + len(name).to_bytes(2, "big") + name
        self.transport.write(b"\x10" + bytes((len(body),)) + body)

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        while len(data) >= 2 and len(data) >= 2 + data[1]:
            kind, end = data[0] >> 4, 2 + data[1]
            if kind == 3:
                self.owner.echoed(self)
            elif kind == 2:
                body = b"\0\x01" + len(self.topic).to_bytes(2, "big") + self.topic + b"\0"
                self.write(b"\x82" + bytes((len(body),)) + body)
            elif kind == 9:
                self.inside = True
                self.owner.joined(self)
            data = data[end:]
        self.rest = data
