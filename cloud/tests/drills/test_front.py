"""The front: tunnels to hubs, requests to API nodes, and never a second try of what must not be repeated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2 as httpx
import pytest

from edgeflow_cloud.drills.front import Front

Address = tuple[str, int]


@asynccontextmanager
async def node(name: bytes, *, dies: bool = False) -> AsyncIterator[tuple[Address, list[bytes]]]:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        if not dies:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname(), seen
    finally:
        server.close()


async def ask(front: Front, method: str = "GET", headers: dict[str, str] | None = None) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(
            method, f"http://{front.netloc}/api/v1/devices", json={"a": 1}, headers=headers
        )


async def test_requests_go_in_turn_and_past_the_dead() -> None:
    async with AsyncExitStack() as opened:
        (one, _), (two, _) = [await opened.enter_async_context(node(name)) for name in (b"one", b"two")]
        front = await opened.enter_async_context(Front.before([], [one, two, ("127.0.0.1", 1)]))
        assert {(await ask(front, "POST")).text for _ in range(6)} == {"one", "two"}
        assert front.no_upstream == 0


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [("GET", {}, 200), ("PUT", {}, 200), ("POST", {}, 502), ("POST", {"Idempotency-Key": "k"}, 200)],
)
async def test_what_was_sent_is_repeated_only_if_it_may_be(
    method: str, headers: dict[str, str], status: int
) -> None:
    async with AsyncExitStack() as opened:
        alive, _ = await opened.enter_async_context(node(b"alive"))
        dying, seen = await opened.enter_async_context(node(b"", dies=True))
        front = await opened.enter_async_context(
            Front.before([], [alive, dying])
        )  # the second is asked first
        assert (await ask(front, method, headers)).status_code == status
        assert len(seen) == 1


async def test_nobody_is_a_502() -> None:
    async with Front.before([], [("127.0.0.1", 1)]) as front:
        answer = await ask(front)
        assert (answer.status_code, answer.json()["code"]) == (502, "no_upstream")


async def test_tunnels_go_to_the_hubs() -> None:
    async with (
        node(b"hub") as (hub, at_hub),
        node(b"api") as (api, at_api),
        Front.before([hub], [api]) as front,
    ):
        head = b"GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        answers: list[bytes] = []
        paths: list[bytes] = [b"/tunnel", b"/live"]
        for path in paths:
            reader, writer = await asyncio.open_connection(*front.address)
            writer.write(head % path)
            answers.append(await asyncio.wait_for(reader.read(), 5))
            writer.close()
        assert [answer[-3:] for answer in answers] == [b"hub", b"api"]
        assert b"Upgrade: websocket" in at_hub[0] and len(at_api) == 1
