"""A refresh token fifty times at once, then a copy of an old one: one successor; the family ends with its socket."""

import asyncio
import time
from typing import Any

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from edgeflow_cloud.drills import (
    EMAIL,
    PASSWORD,
    CannotRun,
    Drill,
    Ground,
    Layout,
    Order,
    Report,
    Stack,
    open_stack,
)

_AT_ONCE = 50
_FAMILY, _SOCKET = 1.0, 2.0
_LOOK = 0.05
"""Seconds between two looks, and so what a measured time may be too long by."""


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Race, replay, and watch the family and its socket end, at both APIs."""
    async with open_stack(ground, Layout(0, 2, 1), report, mutant=order.mutant, mutated=["api"]) as stack:
        apis = [f"http://127.0.0.1:{node.port}" for node in stack.of("api")]
        async with httpx2.AsyncClient(timeout=20, trust_env=False) as client:
            began, races = time.monotonic(), 0
            while races == 0 or time.monotonic() - began < order.seconds / 2:
                await _race(client, apis, report)
                races += 1
            report.fact("races of 50", races)
            await _replay(client, stack, apis, report)


async def _race(client: httpx2.AsyncClient, apis: list[str], report: Report) -> None:
    entry = await _login(client, apis[0])
    answers = await asyncio.gather(
        *(_refresh(client, apis[turn % 2], entry["refresh_token"]) for turn in range(_AT_ONCE))
    )
    statuses = {answer.status_code for answer in answers}
    successors = {answer.json().get("refresh_token") for answer in answers}
    report.check(statuses == {200}, f"all of {_AT_ONCE} at once are answered: {statuses}")
    report.check(len(successors) == 1, f"{_AT_ONCE} at once get one successor: {len(successors)}")


async def _replay(client: httpx2.AsyncClient, stack: Stack, apis: list[str], report: Report) -> None:
    first = await _login(client, apis[0])
    second = (await _refresh(client, apis[0], first["refresh_token"])).json()
    third = (await _refresh(client, apis[1], second["refresh_token"])).json()
    bearer = {"authorization": f"Bearer {third['access_token']}"}
    ticket = (await client.post(f"{apis[1]}/api/v1/live/ticket", headers=bearer)).json()["ticket"]
    url = f"{apis[1].replace('http', 'ws', 1)}/live?ticket={ticket}"
    async with connect(url, proxy=None) as socket:
        for api in apis:
            if await _standing(client, api, bearer) != 200:
                raise CannotRun(f"The session does not work before the replay.\n{stack.logs()}")
        began = time.monotonic()
        closed = asyncio.create_task(_closed(socket))
        replayed = await _refresh(client, apis[0], first["refresh_token"])
        report.check(replayed.status_code == 401, f"a copy is refused: {replayed.status_code}")
        ends = await asyncio.gather(*(_until_dead(client, api, bearer, began) for api in apis))
        report.fact("family dead at both APIs after", f"{max(ends):.2f} s")
        report.check(
            max(ends) <= _FAMILY + _LOOK, f"the family is dead within {_FAMILY:g} s: {max(ends):.2f} s"
        )
        newest = await _refresh(client, apis[1], third["refresh_token"])
        report.check(newest.status_code == 401, f"the newest token is dead too: {newest.status_code}")
        try:
            ended = await asyncio.wait_for(closed, 2 * _SOCKET) - began
        except TimeoutError:
            ended = 2 * _SOCKET
        report.fact("socket closed after", f"{ended:.2f} s")
        report.check(ended <= _SOCKET + _LOOK, f"the socket is closed within {_SOCKET:g} s: {ended:.2f} s")


async def _login(client: httpx2.AsyncClient, api: str) -> dict[str, Any]:
    answer = await client.post(f"{api}/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
    if answer.status_code != 200:
        raise CannotRun(f"No log-in: {answer.status_code} {answer.text[:300]}")
    return answer.json()


async def _refresh(client: httpx2.AsyncClient, api: str, token: str) -> httpx2.Response:
    return await client.post(f"{api}/api/v1/auth/refresh", json={"refresh_token": token})


async def _standing(client: httpx2.AsyncClient, api: str, bearer: dict[str, str]) -> int:
    return (await client.get(f"{api}/api/v1/auth/profile", headers=bearer)).status_code


async def _until_dead(client: httpx2.AsyncClient, api: str, bearer: dict[str, str], began: float) -> float:
    """Seconds from `began` until a call is refused; gives up after twice the promise."""
    while await _standing(client, api, bearer) == 200 and time.monotonic() - began < 2 * _FAMILY:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK)
    return time.monotonic() - began


async def _closed(socket: Any) -> float:
    try:
        while True:
            await socket.recv()
    except ConnectionClosed:
        return time.monotonic()


DRILL = Drill(
    name="token-race",
    question="Have fifty refreshes at once one successor, and does a copied token end its family and its sockets?",
    run=run,
    mutants={
        "no-condition": "a refresh token is exchanged whatever its generation",
        "no-revocation": "a copied token is refused, and its session lives on",
        "deaf-sockets": "nobody asks again who has an open socket",
    },
    seconds=2.0,
    devices=1,
)
