"""The second factor: set up, asked for, used once, replaced by recovery codes, switched off."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp.totp import TOTP

from cloud.tests.auth.conftest import PASSWORD, House, actions, fresh_address
from edgeflow_cloud.identity.mfa.service import SEALED
from edgeflow_cloud.kernel import ids


class Authenticator:
    """A phone that shows codes by the house's clock."""

    def __init__(self, house: House, secret: str) -> None:
        self._house, self._totp = house, TOTP(secret)

    def code(self, *, steps: int = 0) -> str:
        return self._totp.at(self._house.clock.now() + timedelta(seconds=30 * steps))


async def enrol(house: House, entry: dict[str, Any]) -> tuple[Authenticator, list[str]]:
    """Switch the second factor on; the clock has moved on by one code afterwards."""
    client = house.at(token=entry["access_token"])
    setup = await client.post("/auth/mfa/enable", json={"password": PASSWORD})
    assert setup.status_code == 200, setup.text
    phone = Authenticator(house, setup.json()["secret"])
    confirmed = await client.post("/auth/mfa/confirm", json={"code": phone.code()})
    assert confirmed.status_code == 200, confirmed.text
    house.advance(seconds=30)
    return phone, confirmed.json()["recovery_codes"]


async def test_the_published_answer_without_a_code(house: House) -> None:
    await enrol(house, await house.enter("ada"))
    answer = await house.login("ada")
    assert answer.status_code == 200
    assert set(answer.json()) == {"requires_mfa", "message"}
    assert answer.json()["requires_mfa"] is True
    assert "mfa_code" in answer.json()["message"]


async def test_a_code_opens_a_session(house: House, sql) -> None:
    phone, _ = await enrol(house, await house.enter("ada"))
    answer = await house.login("ada", mfa_code=phone.code())
    assert set(answer.json()) == {"access_token", "refresh_token", "session_id", "user"}
    log = await actions(sql)
    assert log[-2:] == ["user.mfa_enable", "user.login"]
    profile = (await house.at(token=answer.json()["access_token"]).get("/auth/profile")).json()
    assert (profile["mfa_enabled"], profile["recovery_codes_left"]) == (True, 10)


async def test_the_uri_is_what_authenticators_read(house: House, sql) -> None:
    client = house.at(token=(await house.enter("ada"))["access_token"])
    body = (await client.post("/auth/mfa/enable", json={"password": PASSWORD})).json()
    uri = urlsplit(body["otpauth_uri"])
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query) == {"secret": [body["secret"]], "issuer": ["EdgeFlow"]}
    assert len(body["secret"]) == 32
    row = await sql.fetchval("select row_to_json(s)::text from totp_seeds s")
    assert body["secret"] not in row and body["secret"].encode().hex() not in row


async def test_nothing_counts_before_it_is_confirmed(house: House) -> None:
    client = house.at(token=(await house.enter("ada"))["access_token"])
    assert (await client.post("/auth/mfa/confirm", json={"code": "000000"})).json()["code"] == "mfa_not_begun"
    await client.post("/auth/mfa/enable", json={"password": PASSWORD})
    wrong = await client.post("/auth/mfa/confirm", json={"code": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_mfa_code")
    assert "access_token" in (await house.login("ada")).json()


async def test_a_code_is_taken_once(house: House) -> None:
    phone, _ = await enrol(house, await house.enter("ada"))
    code = phone.code()
    answers = await asyncio.gather(*(house.login("ada", mfa_code=code) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    late = await house.login("ada", mfa_code=code)
    assert (late.status_code, late.json()["code"]) == (401, "invalid_mfa_code")
    earlier = await house.login("ada", mfa_code=phone.code(steps=-1))
    assert earlier.status_code == 401, "nor is one of an earlier half-minute"
    house.advance(seconds=30)
    assert (await house.login("ada", mfa_code=phone.code())).status_code == 200


async def test_the_code_that_confirmed_is_used_up(house: House) -> None:
    entry = await house.enter("ada")
    client = house.at(token=entry["access_token"])
    secret = (await client.post("/auth/mfa/enable", json={"password": PASSWORD})).json()["secret"]
    code = Authenticator(house, secret).code()
    assert (await client.post("/auth/mfa/confirm", json={"code": code})).status_code == 200
    assert (await house.login("ada", mfa_code=code)).status_code == 401


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
async def test_clocks_may_differ_by_half_a_minute(house: House, steps: int, status: int) -> None:
    phone, _ = await enrol(house, await house.enter("ada"))
    house.advance(minutes=5)
    assert (await house.login("ada", mfa_code=phone.code(steps=steps))).status_code == status


@pytest.mark.parametrize(
    "code", ["000000", "12345", "abcdef", "١٢٣٤٥٦", "0000-0000-0000-0000", "' or 1=1 --"]
)
async def test_wrong_codes_are_refused_and_recorded(house: House, sql, code: str) -> None:
    await enrol(house, await house.enter("ada"))
    answer = await house.login("ada", mfa_code=code)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_mfa_code")
    row = await sql.fetchrow(
        "select action, status, new_values::text as new from audit_entries order by id desc limit 1"
    )
    assert (row["action"], row["status"]) == ("security.login_failed", "failure")
    assert "mfa_code" in row["new"] and code not in row["new"]


async def test_a_code_without_the_password_says_nothing(house: House) -> None:
    phone, _ = await enrol(house, await house.enter("ada"))
    answer = await house.login("ada", "not the password", mfa_code=phone.code())
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert (await house.login("ada", "not the password")).json()["code"] == "invalid_credentials"


async def test_a_recovery_code_opens_once(house: House, sql) -> None:
    _, codes = await enrol(house, await house.enter("ada"))
    assert len(set(codes)) == 10
    shown = codes[3].upper().replace("-", " ")  # as people type them
    answer = await house.login("ada", mfa_code=shown)
    assert answer.status_code == 200, answer.text
    assert (await house.login("ada", mfa_code=codes[3])).status_code == 401
    client = house.at(token=answer.json()["access_token"])
    assert (await client.get("/auth/profile")).json()["recovery_codes_left"] == 9
    row = await sql.fetchval(
        "select new_values::text from audit_entries where action = 'user.login' order by id desc limit 1"
    )
    assert "recovery_code" in row
    assert await sql.fetchval("select kind from mails where kind = 'auth.security_notice'") is not None
    stored = await sql.fetch("select row_to_json(r)::text as line from recovery_codes r")
    assert all(code not in row["line"] for code in codes for row in stored)


async def test_two_with_one_recovery_code_get_one_session(house: House) -> None:
    _, codes = await enrol(house, await house.enter("ada"))
    answers = await asyncio.gather(*(house.login("ada", mfa_code=codes[0]) for _ in range(6)))
    assert [answer.status_code for answer in answers].count(200) == 1


async def test_new_recovery_codes_take_the_place_of_the_old(house: House, sql) -> None:
    entry = await house.enter("ada")
    phone, codes = await enrol(house, entry)
    client = house.at(token=entry["access_token"])
    answer = await client.post("/auth/mfa/recovery-codes", json={"password": PASSWORD, "code": phone.code()})
    fresh = answer.json()["recovery_codes"]
    assert answer.status_code == 200 and not set(fresh) & set(codes)
    assert (await actions(sql))[-1] == "user.recovery_codes_create"
    assert (await house.login("ada", mfa_code=codes[0])).status_code == 401
    assert (await house.login("ada", mfa_code=fresh[0])).status_code == 200


async def test_switching_off_needs_password_and_code(house: House, sql) -> None:
    entry = await house.enter("ada")
    phone, codes = await enrol(house, entry)
    client = house.at(token=entry["access_token"])
    for password, code, refusal in (
        ("not the password", phone.code(), "wrong_password"),
        (PASSWORD, "000000", "invalid_mfa_code"),
    ):
        answer = await client.post("/auth/mfa/disable", json={"password": password, "code": code})
        assert (answer.status_code, answer.json()["code"]) == (422, refusal)
    answer = await client.post("/auth/mfa/disable", json={"password": PASSWORD, "code": codes[0]})
    assert answer.status_code == 200, answer.text
    assert (await actions(sql))[-1] == "user.mfa_disable"
    assert "access_token" in (await house.login("ada")).json()
    again = await client.post("/auth/mfa/disable", json={"password": PASSWORD, "code": codes[1]})
    assert (again.status_code, again.json()["code"]) == (409, "mfa_not_enabled")
    assert await sql.fetchval("select count(*) from totp_seeds") == 0
    assert await sql.fetchval("select count(*) from recovery_codes") == 0


async def test_setting_up_needs_the_password_and_only_once(house: House) -> None:
    entry = await house.enter("ada")
    client = house.at(token=entry["access_token"])
    wrong = await client.post("/auth/mfa/enable", json={"password": "not the password"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_password")
    await enrol(house, entry)
    again = await client.post("/auth/mfa/enable", json={"password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (409, "mfa_already_enabled")
    again = await client.post("/auth/mfa/confirm", json={"code": "000000"})
    assert (again.status_code, again.json()["code"]) == (409, "mfa_already_enabled")


async def test_guessing_codes_is_slow_and_locks_nobody_out(house: House) -> None:
    """Somebody has the password. Many addresses of theirs do not help, and the owner still gets in."""
    phone, _ = await enrol(house, await house.enter("ada"))
    assert (await house.login("ada", mfa_code=phone.code())).status_code == 200  # the place is known
    body = {"email": house.email("ada"), "password": PASSWORD, "mfa_code": "000000"}

    async def guess(address: str) -> int:
        return (await house.at(address).post("/auth/login", json=body)).status_code

    codes: list[int] = []
    for _ in range(4):
        codes += await asyncio.gather(*(guess(fresh_address()) for _ in range(8)))
    assert codes.count(401) <= 21 and 429 in codes
    house.advance(seconds=30)
    assert (await house.login("ada", mfa_code=phone.code())).status_code == 200


async def test_another_ones_seed_does_not_open(house: House, sql) -> None:
    """A sealed seed is bound to its person: copied to another row it is worth nothing."""
    ada, bob = await house.enter("ada"), await house.enter("bob")
    phone, _ = await enrol(house, ada)
    await enrol(house, bob)
    await sql.execute(
        """
        update totp_seeds set sealed = (select sealed from totp_seeds where user_id = $1) where user_id = $2
        """,
        ids.decode("usr", ada["user"]["id"]),
        ids.decode("usr", bob["user"]["id"]),
    )
    answer = await house.login("bob", mfa_code=phone.code())
    assert (answer.status_code, answer.json()["code"]) == (503, "master_key_missing")


async def test_seeds_outlive_a_rotation_of_the_master_key(house: House, sql) -> None:
    phone, _ = await enrol(house, await house.enter("ada"))
    before = await sql.fetchval("select sealed from totp_seeds")
    now: datetime = house.clock.now()
    house.context.secrets.master_keys.rotate(until=now + timedelta(hours=1), now=now)
    assert (await house.login("ada", mfa_code=phone.code())).status_code == 200, "the former key still opens"
    assert await SEALED.reseal(house.context) == 1
    assert await SEALED.reseal(house.context) == 0
    assert await sql.fetchval("select sealed from totp_seeds") != before
    house.advance(hours=2)
    assert (await house.login("ada", mfa_code=phone.code())).status_code == 200, "and is not needed any more"


async def test_programs_have_no_second_factor(client) -> None:
    """The fixtures' owner has no session: like a program's key."""
    answer = await client("owner").post("/auth/mfa/enable", json={"password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (403, "people_only")
