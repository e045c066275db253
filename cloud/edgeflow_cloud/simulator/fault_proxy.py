"""A TCP proxy that does to connections what networks do: latency, resets, silence (half-open), little bandwidth.

    async with FaultProxy.open(upstreams=[("127.0.0.1", 8000)]) as proxy:
        proxy.latency = 0.2        # seconds, each way
        proxy.bandwidth = 4096     # bytes a second and direction, None: all there is
        proxy.blackhole = True     # nothing passes and nothing ends: both sides believe in the connection
        proxy.reset()              # RST to both sides of every connection that is open

Faults apply at once to the connections there are and to new ones. With several upstreams a new connection goes to the
next one that takes it, so it is also a balancer with failover.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

Address = tuple[str, int]
_PIECE = 16 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with zero seconds: close() sends RST


class FaultProxy:
    """One listening port. `connections` counts those that are open, `accepted` all there were."""

    def __init__(self, upstreams: Sequence[Address]) -> None:
        self.upstreams = list(upstreams)
        self.latency = 0.0
        self.bandwidth: float | None = None
        self.passing = asyncio.Event()
        self.passing.set()
        self.refuse = False
        """New connections are reset at once."""
        self.accepted = 0
        self._open: set[_Pair] = set()
        self._working: set[asyncio.Task[object]] = set()
        self._server: asyncio.Server | None = None
        self._turn = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, upstreams: Sequence[Address], port: int = 0) -> AsyncGenerator[FaultProxy]:
        """Listen on loopback until the end of the block; then every connection is cut."""
        proxy = cls(upstreams)
        async with proxy.listening(port):
            yield proxy

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncGenerator[None]:
        """Listen until the end of the block; then every connection is cut."""
        self._server = await asyncio.start_server(
            self._keep, "127.0.0.1", port, backlog=4096, limit=4 * _PIECE
        )
        try:
            yield
        finally:
            self._server.close()
            self.reset()
            for task in self._working:
                task.cancel()

    @property
    def blackhole(self) -> bool:
        """Whether nothing passes, and nothing ends either."""
        return not self.passing.is_set()

    @blackhole.setter
    def blackhole(self, silent: bool) -> None:
        if silent:
            self.passing.clear()
        else:
            self.passing.set()

    @property
    def address(self) -> Address:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("FaultProxy.open() makes one that listens")
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(port)

    @property
    def netloc(self) -> str:
        """`host:port`."""
        return f"{self.address[0]}:{self.address[1]}"

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    def reset(self, share: float = 1.0) -> int:
        """Cut so large a share of the connections with RST, the oldest first; how many it were."""
        pairs = sorted(self._open, key=lambda pair: pair.number)
        chosen = pairs[: round(len(pairs) * share)]
        for pair in chosen:
            pair.cut()
        return len(chosen)

    async def _keep(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold on to the task: the event loop alone does not, when the other side goes early."""
        task = asyncio.current_task()
        if task is not None:
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        with contextlib.suppress(asyncio.CancelledError):  # only we cancel it, at the end
            await self.accept(reader, writer)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client is there: carry it to an upstream. A subclass may look at what it says first."""
        await self.carry(reader, writer)

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        """Pass bytes both ways, `first` (read already) before all, until both sides have ended."""
        self.accepted += 1
        upstream = None if self.refuse else await self._dial()
        if upstream is None:
            _rst(writer)
            return
        upstream[1].write(first)
        pair = _Pair(self, self.accepted, writer, upstream[1])
        self._open.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                pair.tasks = [
                    group.create_task(pair.pass_on(reader, upstream[1])),
                    group.create_task(pair.pass_on(upstream[0], writer)),
                ]
        except* (OSError, asyncio.IncompleteReadError):
            pair.cut()
        finally:
            self._open.discard(pair)
            for one in (writer, upstream[1]):
                with contextlib.suppress(Exception):
                    one.close()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        self._turn += 1
        first = self._turn
        for number in range(len(self.upstreams)):
            host, port = self.upstreams[(first + number) % len(self.upstreams)]
            try:
                return await asyncio.open_connection(host, port, limit=_PIECE)
            except OSError:
                continue
        return None


class _Pair:
    """A connection from a client, and ours to the upstream."""

    def __init__(
        self, proxy: FaultProxy, number: int, client: asyncio.StreamWriter, upstream: asyncio.StreamWriter
    ) -> None:
        self.proxy = proxy
        self.number = number
        self.tasks: list[asyncio.Task[None]] = []
        self._writers = (client, upstream)

    async def pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """One direction until its end; an end is passed on too. Order is kept whatever the latency does."""
        # Bounded: when so much is on its way, the source waits in its own buffers.
        flying: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(flying, sink))
            piece = b"-"
            while piece:
                piece = await source.read(_PIECE)
                await flying.put((loop.time() + self.proxy.latency, piece))

    async def _send(self, flying: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, piece = await flying.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if self.proxy.bandwidth:
                await asyncio.sleep(len(piece) / self.proxy.bandwidth)
            await self.proxy.passing.wait()
            if not piece:
                if sink.can_write_eof():
                    sink.write_eof()
                return
            sink.write(piece)
            await sink.drain()

    def cut(self) -> None:
        """RST to both sides."""
        for task in self.tasks:
            task.cancel()
        for writer in self._writers:
            _rst(writer)


def _rst(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
