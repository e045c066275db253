"""People over REST, in a process of their own: `python -m tests.load.caller`, asked in JSON lines.

Keep-alive connections that send prepared requests. Orders: `targets` (port, requests: a list of [method, path, token,
body] that the connections take in turn; wanted: what each answer contains), `paced` (rate, seconds: open loop, latency
from when it was due), `closed` (at_once, seconds). Answers: rate, p50, p95, p99 in milliseconds.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from typing import cast

import uvloop

from tests.load.generator import Answer, serve_orders


class Call(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._data = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end].lower()
        at = head.find(b"content-length:")
        size = int(head[at + 15 :].partition(b"\r\n")[0]) if at >= 0 else 0
        if len(self._data) < end + 4 + size:
            return
        body, self._data = self._data[end + 4 : end + 4 + size], b""
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server closed the connection"))

    @property
    def is_closed(self) -> bool:
        return self._transport is None

    async def request(self, request: bytes) -> tuple[int, bytes]:
        """Send; (status, body)."""
        if self._transport is None:
            raise ConnectionError("the server closed the connection")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await asyncio.wait_for(self._answer, 30)


class Caller:
    """All connections of this process."""

    def __init__(self) -> None:
        self._port = 0
        self._requests: list[bytes] = []
        self._idle: deque[Call] = deque()
        self._next = 0
        self._wanted = b""
        self._took: list[float] = []
        self._odd: dict[str, int] = {}

    async def targets(
        self, port: int, requests: list[tuple[str, str, str, str]], wanted: str = '"status":"done"'
    ) -> Answer:
        """What to ask for from now on; earlier connections are forgotten."""
        self._port, self._next, self._wanted = port, 0, wanted.encode()
        self._idle.clear()
        self._requests = [_render(*request) for request in requests]
        return {"requests": len(self._requests)}

    async def paced(self, rate: float, seconds: float) -> Answer:
        """So many a second whatever the answers take."""
        loop, began = asyncio.get_running_loop(), time.perf_counter()
        tasks: set[asyncio.Task[None]] = set()
        for number in range(round(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = loop.create_task(self._one(due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(tasks)
        return self._summary(began)

    async def closed(self, at_once: int, seconds: float, most: int = 1_000_000) -> Answer:
        """`at_once` callers, each of whom asks again when answered; at most `most` calls."""
        began, first = time.perf_counter(), self._next

        async def work() -> None:
            while time.perf_counter() < began + seconds and self._next < first + most:
                await self._one(time.perf_counter())

        await asyncio.gather(*(work() for _ in range(at_once)))
        return self._summary(began)

    async def _one(self, due: float) -> None:
        request = self._requests[self._next % len(self._requests)]
        self._next += 1
        call = self._idle.pop() if self._idle else None
        while (
            call is not None and call.is_closed
        ):  # the server keeps an idle connection for some seconds only
            call = self._idle.pop() if self._idle else None
        if call is None:
            call = (await asyncio.get_running_loop().create_connection(Call, "127.0.0.1", self._port))[1]
        status, body = await call.request(request)
        self._idle.append(call)
        if status >= 300 or self._wanted not in body:
            said = f"{status} {body[:160].decode(errors='replace')}"
            self._odd[said] = self._odd.get(said, 0) + 1
        else:
            self._took.append((time.perf_counter() - due) * 1000)

    def _summary(self, began: float) -> Answer:
        took, self._took = sorted(self._took), []
        odd, self._odd = self._odd, {}
        if odd or len(took) < 2:
            raise RuntimeError(f"not all calls were answered as expected ({len(took)} were): {odd}")
        points = statistics.quantiles(took, n=100)
        rate = len(took) / (time.perf_counter() - began)
        return {"calls": len(took), "rate": rate, "p50": points[49], "p95": points[94], "p99": points[98]}


def _render(method: str, path: str, token: str, body: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Content-Length: {len(body.encode())}"] if body else []
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


if __name__ == "__main__":
    caller = Caller()
    uvloop.run(serve_orders({"targets": caller.targets, "paced": caller.paced, "closed": caller.closed}))
