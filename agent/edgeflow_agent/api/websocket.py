"""WebSockets of the local API: `/ws`, which tells, and the paths that flows open. A ping every 30 s, and who is
silent to it goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Opening
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ..engine import Door
from .http import Request
from .live import MOST_WATCHERS, LiveFeed

PROTOCOL = "edgeflow"
_PING_SECONDS = 30.0
_SEND_SECONDS = 10.0
_LARGEST = 1024 * 1024
_IGNORED = 4096

Hear = Callable[[str | bytes], Awaitable[None]]


async def serve_feed(
    feed: LiveFeed, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve one watcher on a connection whose opening request was read already, until it goes. What it says is
    ignored."""
    socket = _Socket(request, reader, writer, _IGNORED)
    if not await socket.open(full=feed.watchers >= MOST_WATCHERS):
        return
    queue = feed.watch()
    try:
        await socket.talk(queue, None)
    finally:
        feed.leave(queue)
        await socket.close(1001)


async def serve_door(
    door: Door, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve one program at a path of a flow, until it goes or the flow stops."""
    socket = _Socket(request, reader, writer, _LARGEST)
    if not await socket.open(full=door.full):
        return
    client = door.enter()
    closed = asyncio.Event()

    def look() -> None:
        if client.id not in door.clients:
            closed.set()

    door.changed.append(look)
    try:
        await socket.talk(client.outgoing, client.receive, closed)
    finally:
        door.changed.remove(look)
        door.leave(client)
        await socket.close(1001)


class _Socket:
    """One connection, as the server."""

    def __init__(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, largest: int
    ) -> None:
        self._request, self._reader, self._writer = request, reader, writer
        self._protocol = ServerProtocol(select_subprotocol=_select, max_size=largest)
        self._heard = asyncio.Event()
        self._parts: list[bytes] = []
        self._text = True

    async def open(self, *, full: bool) -> bool:
        """Answer the opening request; whether the connection is open then."""
        request, protocol = self._request, self._protocol
        headers = (f"{name}: {value}" for name, value in request.headers.items())
        head = [f"GET {request.path} HTTP/1.1", *headers]
        protocol.receive_data("\r\n".join([*head, "", ""]).encode("latin-1"))
        openings = [event for event in protocol.events_received() if isinstance(event, Opening)]
        if not openings:
            return False
        if full:
            protocol.send_response(protocol.reject(503, "Too many are connected already; close one.\n"))
        else:
            protocol.send_response(protocol.accept(openings[0]))
        return await self._flush() and protocol.state is State.OPEN

    async def talk(
        self, outgoing: asyncio.Queue[bytes] | asyncio.Queue[str | bytes], hear: Hear | None,
        closed: asyncio.Event | None = None,
    ) -> None:  # fmt: skip
        """Send what comes into the queue, until either side ends, or `closed`. Bytes of the feed are text already."""
        tasks = [
            asyncio.create_task(self._read(hear)),
            asyncio.create_task(self._write(outgoing, text_only=hear is None)),
            asyncio.create_task(self._beat()),
        ]
        if closed is not None:
            tasks.append(asyncio.create_task(_wait(closed)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self, code: int) -> None:
        """Say good-bye, if the other side still listens."""
        with contextlib.suppress(Exception):
            self._protocol.send_close(code)
            await self._flush()

    async def _read(self, hear: Hear | None) -> None:
        protocol = self._protocol
        while data := await self._reader.read(4096):
            self._heard.set()
            protocol.receive_data(data)
            for event in protocol.events_received():
                if not isinstance(event, Frame):
                    continue
                if event.opcode is Opcode.CLOSE:
                    await self._flush()
                    return
                if hear is not None and (message := self._join(event)) is not None:
                    await hear(message)
            if not await self._flush() or protocol.state is not State.OPEN:
                return

    def _join(self, frame: Frame) -> str | bytes | None:
        """The message that this frame completes. The protocol has checked its size and its text."""
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return None
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        data, self._parts = b"".join(self._parts), []
        return data.decode(errors="replace") if self._text else data

    async def _write(
        self, outgoing: asyncio.Queue[bytes] | asyncio.Queue[str | bytes], *, text_only: bool
    ) -> None:
        while True:
            data = await outgoing.get()
            if isinstance(data, str):
                self._protocol.send_text(data.encode())
            elif text_only:
                self._protocol.send_text(data)
            else:
                self._protocol.send_binary(data)
            if not await self._flush():
                return

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_PING_SECONDS)
            self._heard.clear()
            self._protocol.send_ping(b"")
            if not await self._flush():
                return
            async with asyncio.timeout(_SEND_SECONDS):
                await self._heard.wait()

    async def _flush(self) -> bool:
        """Send what the protocol has to say; whether the connection is still good."""
        async with asyncio.timeout(_SEND_SECONDS):
            for data in self._protocol.data_to_send():
                if not data:
                    return False
                self._writer.write(data)
            await self._writer.drain()
        return True


def _select(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours when it is offered; a client that offers none gets none. A token beside it is never echoed."""
    del protocol
    return Subprotocol(PROTOCOL) if PROTOCOL in offered else None


async def _wait(closed: asyncio.Event) -> None:
    await closed.wait()
