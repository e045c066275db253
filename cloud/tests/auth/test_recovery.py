"""Proof by mail: addresses verified, passwords reset; the same answer for everybody, each link good once."""

import asyncio
import statistics
import time

import pytest

from cloud.tests.auth.conftest import PASSWORD, House, actions, fresh_address, run_jobs, token_from_mail
from cloud.tests.auth.test_mfa import enrol
from edgeflow_cloud.infra import mail
from edgeflow_cloud.kernel import ids

FRESH = "five other words stand here"
VERIFY, RESET = "auth.verify_email", "auth.reset_password"


async def forgot(house: House, email: str, address: str | None = None):
    return await house.at(address).post("/auth/forgot-password", json={"email": email})


async def reset(house: House, token: str, password: str = FRESH):
    return await house.at().post("/auth/reset-password", json={"token": token, "new_password": password})


async def test_registration_sends_a_link_that_verifies(house: House, sql) -> None:
    entry = await house.enter("ada")
    client = house.at(token=entry["access_token"])
    assert (await client.get("/auth/profile")).json()["email_verified"] is False
    token = await token_from_mail(house, sql, VERIFY)
    answer = await house.at().post("/auth/verify-email", json={"token": token})
    assert (answer.status_code, answer.json()["email"]) == (200, house.email("ada"))
    assert (await client.get("/auth/profile")).json()["email_verified"] is True
    assert (await actions(sql))[-1] == "user.email_verify"


async def test_nothing_of_a_link_is_stored(house: House, sql) -> None:
    await house.register("ada")
    token = await token_from_mail(house, sql, VERIFY)
    for table in ("mail_links", "mails", "audit_entries", "jobs.pgqueuer"):
        rows = await sql.fetch(f"select row_to_json(t)::text as line from {table} t")
        assert all(token not in row["line"] for row in rows)


@pytest.mark.parametrize("purpose", [VERIFY, RESET])
async def test_a_link_is_good_once_and_for_a_while(house: House, sql, purpose: str) -> None:
    await house.register("ada")
    for wait, good in ((0.5, True), (1.01, False)):
        if purpose == VERIFY:
            await sql.execute("update users set email_verified_at = null")
            await sql.execute("delete from mail_links")
            entry = (await house.login("ada")).json()
            again = await house.at(token=entry["access_token"]).post("/auth/resend-verification")
            assert again.status_code == 200, again.text
            token = await token_from_mail(house, sql, VERIFY)
            house.advance(hours=24 * wait)
            answers = [await house.at().post("/auth/verify-email", json={"token": token}) for _ in range(2)]
        else:
            await forgot(house, house.email("ada"))
            token = await token_from_mail(house, sql, RESET)
            house.advance(hours=wait)
            answers = [await reset(house, token, PASSWORD) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200 if good else 422, 422]
        assert answers[1].json()["code"] == "invalid_link"


@pytest.mark.parametrize("token", ["x", "A" * 43, "' or 1=1 --", "ä" * 40])
async def test_made_up_links_are_refused_alike(house: House, token: str) -> None:
    await house.register("ada")
    for answer in (
        await house.at().post("/auth/verify-email", json={"token": token}),
        await reset(house, token),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_link")


async def test_a_link_is_good_for_its_purpose_only(house: House, sql) -> None:
    await house.register("ada")
    token = await token_from_mail(house, sql, VERIFY)
    assert (await reset(house, token)).json()["code"] == "invalid_link"


async def test_twins_use_a_link_once(house: House, sql) -> None:
    await house.register("ada")
    await forgot(house, house.email("ada"))
    token = await token_from_mail(house, sql, RESET)
    answers = await asyncio.gather(*(reset(house, token, f"{FRESH} {index}") for index in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422, 422]


async def test_resending_is_bounded_and_ends_when_verified(house: House, sql) -> None:
    entry = await house.enter("ada")
    client = house.at(token=entry["access_token"])
    codes = [(await client.post("/auth/resend-verification")).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]
    token = await token_from_mail(house, sql, VERIFY)
    await house.at().post("/auth/verify-email", json={"token": token})
    other = (await house.login("ada")).json()
    answer = await house.at(token=other["access_token"]).post("/auth/resend-verification")
    assert answer.status_code in (409, 429)


async def test_a_forgotten_password_is_replaced(house: House, sql) -> None:
    entry = await house.enter("ada")
    answer = await forgot(house, house.email("ada").upper())
    assert answer.status_code == 200
    token = await token_from_mail(house, sql, RESET)
    row = await sql.fetchrow(
        """
        select actor_id, ip_address, user_agent from audit_entries where action = 'user.password_reset'
        """
    )
    assert tuple(row) == (entry["user"]["id"], house.address, "test")
    answer = await reset(house, token)
    assert (answer.status_code, answer.json()["ended_sessions"]) == (200, 1)
    assert (await house.at(token=entry["access_token"]).get("/auth/profile")).status_code == 401
    late = await house.at().post("/auth/refresh", json={"refresh_token": entry["refresh_token"]})
    assert late.json()["code"] == "session_ended"
    assert (await house.login("ada")).status_code == 401
    assert (await house.login("ada", FRESH)).status_code == 200
    assert "user.password_change" in await actions(sql)
    assert (
        await sql.fetchval("select end_reason from sessions where ended_at is not null") == "password_reset"
    )
    assert "auth.security_notice" in {item.kind for item in await mail.latest(house.context)}


async def test_a_weak_password_leaves_the_link_good(house: House, sql) -> None:
    await house.register("ada")
    await forgot(house, house.email("ada"))
    token = await token_from_mail(house, sql, RESET)
    weak = await reset(house, token, "password123")
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
    assert weak.json()["errors"][0]["field"] == "new_password"
    assert (await reset(house, token)).status_code == 200


async def test_the_second_factor_survives_a_reset_of_a_verified_account(house: House, sql) -> None:
    phone, _ = await enrol(house, await house.enter("ada"))
    token = await token_from_mail(house, sql, VERIFY)
    await house.at().post("/auth/verify-email", json={"token": token})
    await forgot(house, house.email("ada"))
    assert (await reset(house, await token_from_mail(house, sql, RESET))).status_code == 200
    assert (await house.login("ada", FRESH)).json()["requires_mfa"] is True
    assert (await house.login("ada", FRESH, mfa_code=phone.code())).status_code == 200


async def test_whoever_owns_the_address_gets_the_account(house: House, sql) -> None:
    """A stranger registered with somebody's address, and put a second factor on it. The mail decides."""
    await enrol(house, await house.enter("ada"))
    await forgot(house, house.email("ada"))
    assert (await reset(house, await token_from_mail(house, sql, RESET))).status_code == 200
    entry = (await house.login("ada", FRESH)).json()
    assert entry["user"]["email_verified"] is True
    assert "user.mfa_disable" in await actions(sql)


async def test_nobody_learns_who_has_an_account(house: House, sql) -> None:
    await house.register("ada")
    known, unknown = await forgot(house, house.email("ada")), await forgot(house, house.email("nobody"))
    impossible = await forgot(house, "not an address")
    assert known.json() == unknown.json() == impossible.json()
    assert {answer.status_code for answer in (known, unknown, impossible)} == {200}
    assert await run_jobs(house, sql) == ["auth.send_verification"] + ["auth.send_reset"] * 3
    assert [item.kind for item in await mail.latest(house.context)].count(RESET) == 1

    async def measure(email: str) -> float:
        address = fresh_address()
        started = time.perf_counter()
        await forgot(house, email, address)
        return time.perf_counter() - started

    known_times: list[float] = []
    unknown_times: list[float] = []
    for turn in range(30):  # in turn, and who is first changes too: the machine's mood is shared
        sides = [(known_times, house.email("ada")), (unknown_times, house.email("nobody"))]
        for times, email in sides if turn % 2 else reversed(sides):
            times.append(await measure(email))
    one, other = statistics.median(known_times), statistics.median(unknown_times)
    assert abs(one - other) < max(0.3 * one, 0.003)


async def test_one_address_asks_for_few_links_and_one_account_gets_few(house: House, sql) -> None:
    await house.register("ada")
    codes = [(await forgot(house, house.email("ada"))).status_code for _ in range(31)]
    assert codes == [200] * 30 + [429]
    await run_jobs(house, sql)
    assert [item.kind for item in await mail.latest(house.context)].count(RESET) == 5


async def test_the_owner_of_a_taken_address_is_told_once_a_day(house: House, sql) -> None:
    await house.register("ada")
    for index in range(3):
        again = await house.register("ada", organization_slug=f"other-{index}")
        assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    kinds = [item.kind for item in await mail.latest(house.context)]
    assert kinds.count("auth.account_exists") == 1


async def test_a_reset_makes_the_place_known(house: House, sql) -> None:
    """The way in for somebody in a new place while others attack the account."""
    await house.register("ada")
    await forgot(house, house.email("ada"))
    await reset(house, await token_from_mail(house, sql, RESET))
    body = {"email": house.email("ada"), "password": "a guess at it"}
    for _ in range(11):
        await asyncio.gather(*(house.at(fresh_address()).post("/auth/login", json=body) for _ in range(10)))
    elsewhere = await house.at(fresh_address()).post("/auth/login", json=body)
    assert elsewhere.status_code == 429
    assert (await house.login("ada", FRESH)).status_code == 200


async def test_who_belongs_nowhere_cannot_reset(house: House, sql) -> None:
    registered = (await house.register("ada")).json()
    await forgot(house, house.email("ada"))
    token = await token_from_mail(house, sql, RESET)
    await sql.execute("delete from members where user_id = $1", ids.decode("usr", registered["user"]["id"]))
    answer = await reset(house, token)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_member")


@pytest.mark.parametrize(
    ("password", "low", "high", "refused"),
    [
        ("password123", 0, 1, True),
        ("short", 0, 1, True),
        ("AdaTest2026", 0, 3, False),
        ("correct horse battery staple", 4, 4, False),
        ("x" * 1000, 0, 1, True),
    ],
)
async def test_strength_is_an_advice(house: House, password: str, low: int, high: int, refused: bool) -> None:
    answer = await house.at().post(
        "/auth/password-strength",
        json={"password": password, "email": house.email("ada"), "words": ["Ada", "Test"]},
    )
    assert answer.status_code == 200
    body = answer.json()
    assert low <= body["score"] <= high
    assert bool(body["refusal"]) is refused
    assert isinstance(body["suggestions"], list)
