"""Logging in: the published shape, one answer for all failures, slow guessing, no lock-out."""

import asyncio
import statistics
import time
from typing import Any

import pytest

from cloud.tests.auth.conftest import PASSWORD, House, actions, fresh_address
from edgeflow_cloud.auth import attempts


async def test_the_published_shape(house: House) -> None:
    registered = (await house.register("ada")).json()
    answer = await house.login("ada", mfa_code="123456")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "refresh_token", "session_id", "user"}
    assert body["session_id"].startswith("ses_")
    assert body["user"] == registered["user"] | {
        "organization_id": registered["organization"]["id"],
        "role": "owner",
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_the_access_token_opens_the_api(house: House, sql) -> None:
    entry = await house.enter("ada")
    profile = await house.at(token=entry["access_token"]).get("/auth/profile")
    assert profile.status_code == 200
    assert profile.json()["email"] == house.email("ada")
    assert "devices:manage" in profile.json()["permissions"]
    row = await sql.fetchrow("select ip_address, user_agent from audit_entries where action = 'user.login'")
    assert tuple(row) == (house.address, "test")


async def test_the_address_is_read_without_case(house: House) -> None:
    await house.register("ada")
    answer = await house.at().post(
        "/auth/login", json={"email": f" {house.email('ada').upper()} ", "password": PASSWORD}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada", "not the password"),
        ("nobody", PASSWORD),
        ("not an address", PASSWORD),
        ("ada", PASSWORD + " "),
        ("ada", PASSWORD.upper()),
    ],
)
async def test_every_failure_looks_the_same(house: House, email: str, password: str) -> None:
    await house.register("ada")
    email = email if " " in email else house.email(email)
    answer = await house.at().post("/auth/login", json={"email": email, "password": password})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (401, "invalid_credentials")
    assert body["detail"] == "E-mail address or password is wrong. Check both and try again."


async def test_time_does_not_tell_who_exists(house: House) -> None:
    """Every refusal takes a whole multiple of a quarter of a second, so only the timer's own noise is left."""
    await house.register("ada")

    async def measure(email: str) -> float:
        started = time.perf_counter()
        await house.at(fresh_address()).post(
            "/auth/login", json={"email": email, "password": "wrong password"}
        )
        return time.perf_counter() - started

    await measure("warm@example.com")
    known: list[float] = []
    unknown: list[float] = []
    for turn in range(11):  # in turn, and who is first changes too: the machine's mood is shared
        sides = [(known, house.email("ada")), (unknown, f"eve{turn}@example.com")]
        for times, email in sides if turn % 2 else reversed(sides):
            times.append(await measure(email))
    assert abs(statistics.median(known) - statistics.median(unknown)) < 0.02
    assert min(*known, *unknown) >= attempts.FAILURE_TIME


async def test_a_failure_is_recorded_although_the_call_fails(house: House, sql) -> None:
    await house.register("ada")
    await house.login("ada", "not the password")
    assert (await actions(sql))[-1] == "security.login_failed"
    assert await sql.fetchval("select status from audit_entries order by id desc limit 1") == "failure"


async def test_organization_id_chooses_the_organization(house: House, sql) -> None:
    ada, bob = (await house.register("ada")).json(), (await house.register("bob")).json()
    await join(sql, ada, bob, "viewer")
    by_default = (await house.login("ada")).json()["user"]
    assert (by_default["organization_id"], by_default["role"]) == (ada["organization"]["id"], "owner")
    chosen = (await house.login("ada", organization_id=bob["organization"]["id"])).json()["user"]
    assert (chosen["organization_id"], chosen["role"]) == (bob["organization"]["id"], "viewer")
    refused = await house.login("bob", organization_id=ada["organization"]["id"])
    assert (refused.status_code, refused.json()["code"]) == (403, "not_a_member")
    absent = await house.login("bob", organization_id="org_" + "0" * 26)
    assert absent.json()["detail"] == refused.json()["detail"]


async def test_who_belongs_nowhere_is_told_so(house: House, sql) -> None:
    await house.register("ada")
    await sql.execute("delete from members")
    answer = await house.login("ada")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_member")


async def test_guessing_is_slow_and_the_owner_still_gets_in(house: House) -> None:
    await house.register("ada")
    assert (await house.login("ada")).status_code == 200  # the owner's place is known from now on

    async def guess(address: str) -> int:
        answer = await house.at(address).post(
            "/auth/login", json={"email": house.email("ada"), "password": "a guess at it"}
        )
        return answer.status_code

    attackers = [fresh_address() for _ in range(5)]
    codes: list[int] = []
    for _ in range(13):  # in tens, so that a slow machine does not drive the limiter into its local count
        codes += await asyncio.gather(*(guess(attackers[index % 5]) for index in range(10)))
    assert set(codes) == {401, 429}
    assert codes.count(401) <= 105  # a hundred, and what the hour gives back meanwhile
    assert 429 in [await guess(fresh_address()) for _ in range(5)]
    assert (await house.login("ada")).status_code == 200


async def test_a_refusal_says_when_to_come_back(house: House) -> None:
    answers = await asyncio.gather(*(house.login("nobody") for _ in range(34)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and int(refused[0].headers["retry-after"]) >= 1
    assert refused[0].json()["detail"].endswith("try again.")


async def test_one_address_cannot_guess_for_long(house: House) -> None:
    await house.register("ada")
    answers = await asyncio.gather(*(house.login("ada", "a guess at it") for _ in range(34)))
    assert [answer.status_code for answer in answers].count(401) <= 30


async def test_old_hashes_are_made_anew(house: House, sql) -> None:
    from argon2 import PasswordHasher

    await house.register("ada")
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await sql.execute("update users set password_hash = $1", old)
    assert (await house.login("ada")).status_code == 200
    assert "m=19456,t=2" in await sql.fetchval("select password_hash from users")
    assert (await house.login("ada")).status_code == 200


async def join(sql, person: dict[str, Any], other: dict[str, Any], role: str) -> None:
    from edgeflow_cloud.kernel import ids

    await sql.execute(
        """
        insert into members (tenant_id, user_id, role, joined_at)
        values ($1, $2, $3, now() + interval '1 h')
        """,
        ids.decode("org", other["organization"]["id"]),
        ids.decode("usr", person["user"]["id"]),
        role,
    )
