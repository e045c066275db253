"""The drill `token-race`: fifty at once get one successor; a copy kills the family within a second, sockets in two."""

import asyncio
import time
from typing import Any

from cloud.tests.auth.conftest import House
from cloud.tests.auth.test_sessions import profile, refresh
from edgeflow_cloud.app.site import create_site
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra.blobs import BlobProxy


class Page:
    """A page's live socket, spoken over ASGI: `closed` is the code and the moment of its end."""

    def __init__(self, app: Any, ticket: str) -> None:
        self._app, self._ticket = app, ticket
        self.accepted = asyncio.Event()
        self.closed: asyncio.Future[tuple[int, float]] = asyncio.get_running_loop().create_future()
        self._first = True

    async def run(self) -> None:
        scope = {
            "type": "websocket",
            "path": "/live",
            "raw_path": b"/live",
            "query_string": f"ticket={self._ticket}".encode(),
            "headers": [(b"host", b"cloud.test")],
            "client": ("127.0.0.1", 1),
            "server": ("cloud.test", 80),
            "scheme": "ws",
            "subprotocols": [],
            "state": {},
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if self._first:
            self._first = False
            return {"type": "websocket.connect"}
        code, _ = await asyncio.shield(self.closed)
        return {"type": "websocket.disconnect", "code": code}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            self.accepted.set()
        elif message["type"] == "websocket.close" and not self.closed.done():
            self.closed.set_result((message["code"], time.monotonic()))


async def test_fifty_parallel_refreshes_have_one_successor(house: House, sql) -> None:
    entry = await house.enter("ada")
    answers = await asyncio.gather(*(refresh(house, entry["refresh_token"]) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert await sql.fetchval("select generation from sessions") == 2
    assert (await refresh(house, successors.pop())).status_code == 200


async def test_a_copy_kills_the_family_within_a_second_and_its_socket_within_two(house: House) -> None:
    entry = await house.enter("ada")
    second = (await refresh(house, entry["refresh_token"])).json()
    third = (await refresh(house, second["refresh_token"])).json()
    ticket = (await house.at(token=third["access_token"]).post("/live/ticket")).json()["ticket"]
    site = create_site(house.context, SUBSYSTEMS, BlobProxy(house.context.blobs))
    page = Page(site, ticket)
    running = asyncio.create_task(page.run())
    await asyncio.wait_for(page.accepted.wait(), 5)
    assert await profile(house, third) == 200

    began = time.monotonic()
    replayed = await asyncio.gather(*(refresh(house, entry["refresh_token"]) for _ in range(10)))
    assert {answer.status_code for answer in replayed} == {401}
    assert "refresh_reused" in {answer.json()["code"] for answer in replayed}
    while await profile(house, third) == 200:
        assert time.monotonic() - began < 1, "the family is dead within a second"
    assert (await refresh(house, third["refresh_token"])).json()["code"] == "session_ended"
    code, ended = await asyncio.wait_for(asyncio.shield(page.closed), 5)
    assert code == 4401
    assert ended - began < 2.5, "the socket is closed within two seconds"
    await asyncio.wait_for(running, 5)
