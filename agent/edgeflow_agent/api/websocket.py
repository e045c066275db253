"""`/ws`: server to client only. What clients say is ignored; a ping every 30 s, and who is silent to it goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Opening
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from .http import Request
from .live import MOST_WATCHERS, LiveFeed

PROTOCOL = "edgeflow"
_PING_SECONDS = 30.0
_SEND_SECONDS = 10.0


async def serve_feed(
    feed: LiveFeed, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve one watcher on a connection whose opening request was read already, until it goes."""
    protocol = ServerProtocol(select_subprotocol=_select, max_size=4096)
    head = [f"GET {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    protocol.receive_data("\r\n".join([*head, "", ""]).encode("latin-1"))
    openings = [event for event in protocol.events_received() if isinstance(event, Opening)]
    if not openings:
        return
    if feed.watchers >= MOST_WATCHERS:
        protocol.send_response(protocol.reject(503, "Too many watch already; close one.\n"))
    else:
        protocol.send_response(protocol.accept(openings[0]))
    if not await _flush(protocol, writer) or protocol.state is not State.OPEN:
        return
    queue = feed.watch()
    heard = asyncio.Event()
    tasks = [
        asyncio.create_task(_read(protocol, reader, writer, heard)),
        asyncio.create_task(_write(protocol, queue, writer)),
        asyncio.create_task(_beat(protocol, writer, heard)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        feed.leave(queue)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            protocol.send_close(1001)
            await _flush(protocol, writer)


def _select(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours when it is offered; a client that offers none gets none. A token beside it is never echoed."""
    del protocol
    return Subprotocol(PROTOCOL) if PROTOCOL in offered else None


async def _read(
    protocol: ServerProtocol, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: asyncio.Event
) -> None:
    while data := await reader.read(4096):
        heard.set()
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                await _flush(protocol, writer)
                return
        if not await _flush(protocol, writer) or protocol.state is not State.OPEN:
            return


async def _write(protocol: ServerProtocol, queue: asyncio.Queue[bytes], writer: asyncio.StreamWriter) -> None:
    while True:
        protocol.send_text(await queue.get())
        if not await _flush(protocol, writer):
            return


async def _beat(protocol: ServerProtocol, writer: asyncio.StreamWriter, heard: asyncio.Event) -> None:
    while True:
        await asyncio.sleep(_PING_SECONDS)
        heard.clear()
        protocol.send_ping(b"")
        if not await _flush(protocol, writer):
            return
        async with asyncio.timeout(_SEND_SECONDS):
            await heard.wait()


async def _flush(protocol: ServerProtocol, writer: asyncio.StreamWriter) -> bool:
    """Send what the protocol has to say; whether the connection is still good."""
    async with asyncio.timeout(_SEND_SECONDS):
        for data in protocol.data_to_send():
            if not data:
                return False
            writer.write(data)
        await writer.drain()
    return True
