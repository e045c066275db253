"""A web server that ends answers everybody who has called: a proxy may not send a POST a second time."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import suppress
from enum import Enum

import pytest
from starlette.types import Receive, Scope, Send

from edgeflow_cloud.app.server import WebServer
from edgeflow_cloud.infra.settings import Settings


class Outcome(Enum):
    """What became of a call. A proxy may send a refused one elsewhere, and a reset one may not be sent again."""

    ANSWERED = "answered"
    REFUSED = "refused"
    RESET = "reset"


async def call(port: int) -> Outcome:
    """One POST on a connection of its own, as a proxy sends it."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return Outcome.REFUSED
    try:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
        answer = await reader.read()
    except ConnectionError:
        return Outcome.RESET
    finally:
        writer.close()
    return Outcome.ANSWERED if answer.endswith(b"done") else Outcome.RESET


async def call_until_refused(port: int) -> list[Outcome]:
    """Call again and again; what became of each."""
    outcomes: list[Outcome] = []
    for _ in itertools.count():
        outcomes.append(await call(port))
        if outcomes[-1] is Outcome.REFUSED:
            break
    return outcomes


class Slow:
    """An application that takes its time."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.begun = asyncio.Event()
        self.hurried = asyncio.Event()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        self.begun.set()
        if self.seconds:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.seconds):
                    await self.hurried.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})


async def start(app: Slow) -> tuple[WebServer, asyncio.Task[None], int]:
    server = WebServer(app, Settings(port=0), None, hurry=app.hurried.set)
    await server.start()
    port = server.port
    running = asyncio.create_task(server.run())
    while (await call(port)) is not Outcome.ANSWERED:  # noqa: ASYNC110 - uvicorn tells nobody that it serves
        await asyncio.sleep(0.02)
    app.begun.clear()
    return server, running, port


async def test_what_runs_is_finished() -> None:
    app = Slow()
    server, running, port = await start(app)
    app.seconds = 1.0
    calling = asyncio.create_task(call(port))
    await app.begun.wait()
    await server.stop()
    assert running.done()
    assert await calling is Outcome.ANSWERED
    assert await call(port) is Outcome.REFUSED


async def test_who_waits_for_long_is_hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeflow_cloud.app.server._PATIENCE", 0.3)
    app = Slow()
    server, running, port = await start(app)
    app.seconds = 30.0
    calling = asyncio.create_task(call(port))
    await app.begun.wait()
    began = time.monotonic()
    await server.stop()
    assert time.monotonic() - began < 5
    assert await calling is Outcome.ANSWERED
    await running


async def test_callers_at_the_last_moment_are_answered_or_refused_and_never_reset() -> None:
    """They come as fast as they can, each on a connection of its own, while the server ends."""
    app = Slow(0.005)
    server, running, port = await start(app)
    callers = [asyncio.create_task(call_until_refused(port)) for _ in range(60)]
    await asyncio.sleep(0.5)
    await server.stop()
    await running
    outcomes = [outcome for caller in callers for outcome in await caller]
    assert outcomes.count(Outcome.ANSWERED) > 60
    assert outcomes.count(Outcome.REFUSED) == 60, "each is refused in the end"
    assert outcomes.count(Outcome.RESET) == 0
