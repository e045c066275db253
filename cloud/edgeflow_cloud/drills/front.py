"""The one port before split roles, for drills: /tunnel to the hubs, everything else to the API nodes.

As a reverse proxy does with its default settings: an upstream that refuses or hangs up before it said anything is left
out for this request, if the request may be repeated or was not sent; an answer that was begun is never repeated.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

from edgeflow_cloud.simulator import FaultProxy

Address = tuple[str, int]
_HEAD = 64 * 1024
_REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_KEY = re.compile(rb"\r\nidempotency-key:", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade:\s*websocket", re.IGNORECASE)
_CONNECTION = re.compile(rb"\r\nconnection:[^\r]*", re.IGNORECASE)
_AWAY = b'{"type":"about:blank","title":"Bad gateway","status":502,"code":"no_upstream","error":"No API node answers."}'


class Front(FaultProxy):
    """A FaultProxy for tunnels (`upstreams` are the hubs), and a reverse proxy of one request a connection for REST."""

    def __init__(self, hubs: Sequence[Address], apis: Sequence[Address]) -> None:
        super().__init__(hubs)
        self.apis = list(apis)
        self.no_upstream = 0
        """Requests that were answered 502."""
        self._next_api = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, hubs: Sequence[Address], apis: Sequence[Address]) -> AsyncGenerator[Front]:
        """Listen until the end of the block."""
        front = cls(hubs, apis)
        async with front.listening():
            yield front

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: a tunnel, or one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.close()
            return
        if _UPGRADE.search(head) and head.split(b" ", 2)[1].startswith(b"/tunnel"):
            await self.carry(reader, writer, first=head)
            return
        try:
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            await self._ask(head, body, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            with suppress(Exception):
                writer.close()

    async def _ask(self, head: bytes, body: bytes, client: asyncio.StreamWriter) -> None:
        repeatable = head.split(b" ", 1)[0] in _REPEATABLE or _KEY.search(head) is not None
        request = _CONNECTION.sub(b"", head, count=1)[:-2] + b"Connection: close\r\n\r\n" + body
        self._next_api += 1
        first = self._next_api
        for number in range(len(self.apis)):
            host, port = self.apis[(first + number) % len(self.apis)]
            try:
                reader, writer = await asyncio.open_connection(host, port)
            except OSError:
                continue
            answered = False
            try:
                writer.write(request)
                await writer.drain()
                while piece := await reader.read(_HEAD):
                    answered = True
                    client.write(piece)
                    await client.drain()
            except OSError:
                pass
            finally:
                writer.close()
            if answered:
                return
            if not repeatable:
                break
        self.no_upstream += 1
        client.write(
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
            + f"Content-Length: {len(_AWAY)}\r\n\r\n".encode()
            + _AWAY
        )
        await client.drain()
