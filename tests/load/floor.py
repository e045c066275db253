"""Bare servers that figures are held against: `python -m tests.load.floor PORT` or `… floor PORT REST_PORT`.

The first is picows as the hub uses it, and nothing else: every text message is answered with a pong. The second puts
FastAPI before it: POST /devices/{number}/commands sends a command to that connection and answers with its reply, so
it is the way of a command without a store, without a login and without a second process.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import cast

import msgspec
import uvicorn
import uvloop
from fastapi import FastAPI
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from tests.load.wire import PONG


class QuietLogger:
    """What picows logs to, as in the product: a stdlib logger would cost memory for each connection."""

    def isEnabledFor(self, _level: int) -> bool:
        return False

    def log(self, *_: object, **__: object) -> None:
        """Nothing."""

    debug = info = warning = error = exception = log


class Echo(WSListener):
    """Answers each message with a pong."""

    __slots__ = ()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            transport.send(WSMsgType.TEXT, PONG)


class Answerer(WSListener):
    """A device that can be asked: its replies go to whoever waits."""

    __slots__ = ("_transport",)
    devices: list[Answerer] = []  # noqa: RUF012 - the one list of this process
    waiting: dict[str, asyncio.Future[object]] = {}  # noqa: RUF012

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self.devices.append(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        said = msgspec.json.decode(frame.get_payload_as_bytes())
        if said.get("type") == "ping":
            transport.send(WSMsgType.TEXT, PONG)
        elif found := self.waiting.pop(said.get("id", ""), None):
            found.set_result(said["data"])

    async def request(self, action: object) -> object:
        """Send a command and wait for its reply."""
        name = f"cmd_{len(self.waiting)}_{id(action)}"
        answer = self.waiting[name] = asyncio.get_running_loop().create_future()
        self._transport.send(
            WSMsgType.TEXT, msgspec.json.encode({"type": "command", "id": name, "action": action})
        )
        return await asyncio.wait_for(answer, 10)


def make_api() -> FastAPI:
    api = FastAPI()

    @api.post("/devices/{number}/commands")
    async def create_command(number: int, body: dict[str, object]) -> dict[str, object]:
        device = Answerer.devices[number % len(Answerer.devices)]
        return {"status": "done", "result": await device.request(body["action"])}

    return api


async def serve(port: int, rest: int | None) -> None:
    create_server = cast("Callable[..., Awaitable[asyncio.Server]]", ws_create_server)
    server = await create_server(
        lambda _request: Echo() if rest is None else Answerer(),
        "127.0.0.1",
        port,
        logger_name=QuietLogger(),
        enable_auto_pong=False,
        read_buffer_init_size=2048,
        use_aiofastnet=False,
        backlog=4096,
    )
    if rest is None:
        await server.serve_forever()
    config = uvicorn.Config(
        make_api(), port=rest or 0, http="httptools", lifespan="off", log_config=None, access_log=False
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
