"""Guessing is slow, and nobody locks another out: browsers and places that were used before stay open."""

import asyncio

from cloud.tests.auth.conftest import PASSWORD, House, fresh_address
from edgeflow_cloud.auth import attempts

MARK = "edgeflow_known_browser"


async def attack(house: House, name: str) -> None:
    """From many places, until strange ones are refused."""
    body = {"email": house.email(name), "password": "a guess at it"}
    for _ in range(40):  # a slow machine counts by itself for a while: the attacker goes on until it is told
        answers = await asyncio.gather(
            *(house.at(fresh_address()).post("/auth/login", json=body) for _ in range(10))
        )
        if all(answer.status_code == 429 for answer in answers):
            break
    assert (await house.at(fresh_address()).post("/auth/login", json=body)).status_code == 429


async def enter(house: House, name: str, address: str, mark: str | None, password: str = PASSWORD):
    headers = {"cookie": f"{MARK}={mark}"} if mark else {}
    return await house.at(address).post(
        "/auth/login", json={"email": house.email(name), "password": password}, headers=headers
    )


async def test_a_known_browser_gets_in_from_anywhere_during_an_attack(house: House) -> None:
    await house.register("ada")
    first = await house.login("ada")
    mark = first.cookies[MARK]
    cookie = first.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/api/v1/auth/login"))
    await attack(house, "ada")
    assert (await enter(house, "ada", fresh_address(), None)).status_code == 429
    travelling = await enter(house, "ada", fresh_address(), mark)
    assert travelling.status_code == 200, travelling.text


async def test_neighbours_do_not_lock_a_known_browser_out(house: House) -> None:
    """The same office: its address and the account are used up by somebody at the next desk."""
    await house.register("ada")
    mark = (await house.login("ada")).cookies[MARK]
    for _ in range(40):  # in fives, so that a slow machine does not drive the limiter into its local count
        answers = await asyncio.gather(*(house.login("ada", "a guess at it") for _ in range(5)))
        if all(answer.status_code == 429 for answer in answers):
            break
    assert (await house.login("ada")).status_code == 429
    assert (await enter(house, "ada", house.address, mark)).status_code == 200


async def test_a_mark_is_good_for_its_account_only(house: House) -> None:
    await house.register("ada")
    await house.register("bob")
    mark = (await house.login("bob")).cookies[MARK]
    await attack(house, "ada")
    for shown in (mark, "AAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBB", ".", "x" * 5000, mark[:-1]):
        assert (await enter(house, "ada", fresh_address(), shown)).status_code == 429


async def test_a_stolen_mark_lends_few_guesses(house: House) -> None:
    await house.register("ada")
    mark = (await house.login("ada")).cookies[MARK]
    await attack(house, "ada")
    answers = [await enter(house, "ada", fresh_address(), mark, "a guess at it") for _ in range(24)]
    codes = [answer.status_code for answer in answers]
    assert codes.count(401) <= 21 and codes[-1] == 429


async def test_a_mark_opens_nothing_and_outlives_a_rotated_key(house: House) -> None:
    from datetime import timedelta

    await house.register("ada")
    mark = (await house.login("ada")).cookies[MARK]
    email, now = house.email("ada"), house.clock.now()
    assert (await house.at().get("/auth/profile", headers={"cookie": f"{MARK}={mark}"})).status_code == 401
    assert attempts.known_browser(house.context, email.upper(), mark)
    house.context.secrets.jwt_keys.rotate(until=now + timedelta(days=30), now=now)
    assert attempts.known_browser(house.context, email, mark)
    assert email not in mark
