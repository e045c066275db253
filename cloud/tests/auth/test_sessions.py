"""Sessions: one successor, reuse ends them, ended means without effect."""

import asyncio
import time
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from cloud.tests.auth.conftest import PASSWORD, House, actions, make_house
from edgeflow_cloud import auth
from edgeflow_cloud.auth import standing
from edgeflow_cloud.auth.wiring import SUBSYSTEM
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.retention import run_retention
from edgeflow_cloud.kernel import ids


async def refresh(house: House, token: str):
    return await house.at().post("/auth/refresh", json={"refresh_token": token})


async def profile(house: House, entry: dict[str, Any]) -> int:
    return (await house.at(token=entry["access_token"]).get("/auth/profile")).status_code


async def test_a_refresh_gives_the_same_fields_and_the_same_session(house: House) -> None:
    entry = await house.enter("ada")
    answer = await refresh(house, entry["refresh_token"])
    assert answer.status_code == 200
    after = answer.json()
    assert set(after) == set(entry)
    assert (after["session_id"], after["user"]) == (entry["session_id"], entry["user"])
    assert after["refresh_token"] != entry["refresh_token"]
    assert await profile(house, after) == 200


async def test_twenty_parallel_refreshes_have_one_successor(house: House, sql) -> None:
    entry = await house.enter("ada")
    answers = await asyncio.gather(*(refresh(house, entry["refresh_token"]) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert await sql.fetchval("select generation from sessions") == 2


async def test_the_grace_gives_the_same_successor_and_then_ends(house: House) -> None:
    entry = await house.enter("ada")
    first = (await refresh(house, entry["refresh_token"])).json()
    house.advance(seconds=9)
    again = (await refresh(house, entry["refresh_token"])).json()
    assert again["refresh_token"] == first["refresh_token"]
    house.advance(seconds=2)
    late = await refresh(house, entry["refresh_token"])
    assert (late.status_code, late.json()["code"]) == (401, "refresh_reused")


async def test_reuse_kills_the_session(house: House, sql) -> None:
    entry = await house.enter("ada")
    second = (await refresh(house, entry["refresh_token"])).json()
    third = (await refresh(house, second["refresh_token"])).json()
    assert await profile(house, third) == 200
    stolen = await refresh(house, entry["refresh_token"])  # two generations old: no grace, however soon
    assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_reused")
    after = await refresh(house, third["refresh_token"])
    assert (after.status_code, after.json()["code"]) == (401, "session_ended")
    assert await profile(house, third) == 401
    assert (await actions(sql))[-1] == "security.refresh_reused"
    assert await sql.fetchval("select end_reason from sessions") == "token_reused"


async def test_nothing_of_a_token_is_stored(house: House, sql) -> None:
    entry = await house.enter("ada")
    row = await sql.fetchval("select row_to_json(s)::text from sessions s")
    for token in (entry["access_token"], entry["refresh_token"]):
        assert all(part not in row for part in token.split("."))


async def test_a_session_ends_a_month_after_its_last_refresh(house: House) -> None:
    entry = await house.enter("ada")
    house.advance(days=29)
    entry = (await refresh(house, entry["refresh_token"])).json()
    house.advance(days=29)
    entry = (await refresh(house, entry["refresh_token"])).json()
    house.advance(days=30, seconds=1)
    answer = await refresh(house, entry["refresh_token"])
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


async def test_logout_ends_both_tokens(house: House, sql) -> None:
    entry = await house.enter("ada")
    other = (await house.login("ada")).json()
    answer = await house.at(token=entry["access_token"]).post("/auth/logout")
    assert answer.status_code == 200 and answer.json()["message"]
    assert await profile(house, entry) == 401
    assert (await refresh(house, entry["refresh_token"])).json()["code"] == "session_ended"
    assert await profile(house, other) == 200
    assert (await actions(sql))[-1] == "user.logout"


async def test_logout_takes_a_body_too(house: House) -> None:
    entry = await house.enter("ada")
    answer = await house.at(token=entry["access_token"]).post("/auth/logout", json={})
    assert answer.status_code == 200


async def _ends_within_two_seconds(house: House, entry: dict[str, Any]) -> None:
    started = time.monotonic()
    while await profile(house, entry) == 200:
        assert time.monotonic() - started < 2
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "statement",
    [
        "update sessions set ended_at = now()",
        "delete from sessions",
        "delete from members",
    ],
)
async def test_ended_behind_our_back_has_no_effect_after_two_seconds(
    house: House, sql, statement: str
) -> None:
    """Another process whose message was lost, or an operator with psql: only time tells."""
    entry = await house.enter("ada")
    assert await profile(house, entry) == 200
    await sql.execute(statement)
    await _ends_within_two_seconds(house, entry)


async def test_a_changed_role_counts_within_two_seconds(house: House, sql) -> None:
    entry = await house.enter("ada")
    client = house.at(token=entry["access_token"])
    assert (await client.get("/auth/profile")).json()["role"] == "owner"
    await sql.execute("update members set role = 'viewer'")
    started = time.monotonic()
    while (await client.get("/auth/profile")).json()["role"] == "owner":
        assert time.monotonic() - started < 2
        await asyncio.sleep(0.05)
    refused = await client.post("/devices", json={"name": "x"})
    assert (refused.status_code, refused.json()["permission"]) == (403, "devices:manage")


async def test_other_processes_hear_at_once(house: House) -> None:
    """The end of a session is noted in Valkey, and no late answer writes over the note."""
    entry = await house.enter("ada")
    assert await profile(house, entry) == 200
    await house.at(token=entry["access_token"]).post("/auth/logout")
    session_id = ids.decode("ses", entry["session_id"])
    standing._recent.clear()  # what another process would know: nothing
    assert await house.context.bus.get(f"session:{session_id.hex}") == b"over"
    assert not await house.context.bus.set_if_absent(f"session:{session_id.hex}", b"{}", ttl=1)
    assert await profile(house, entry) == 401


async def test_without_valkey_sessions_still_work(house: House) -> None:
    from dataclasses import replace

    entry = await house.enter("ada")
    away = Bus("redis://127.0.0.1:9/0", deadline=0.2)
    alone = make_house(replace(house.context, bus=away), house.clock)
    standing._recent.clear()
    assert await profile(alone, entry) == 200
    assert (await refresh(alone, entry["refresh_token"])).status_code == 200
    await alone.at(token=entry["access_token"]).post("/auth/logout")
    assert await profile(alone, entry) == 401
    standing._away_until = 0.0
    await away.close()


async def test_a_changed_password_ends_the_other_sessions(house: House, sql) -> None:
    here = await house.enter("ada")
    elsewhere = (await house.login("ada")).json()
    assert await profile(house, elsewhere) == 200
    client = house.at(token=here["access_token"])
    body = {"current_password": PASSWORD, "new_password": "five other words stand here"}
    answer = await client.post("/auth/change-password", json=body)
    assert (answer.status_code, answer.json()["ended_sessions"]) == (200, 1)
    assert await profile(house, elsewhere) == 401
    assert await profile(house, here) == 200
    assert (await refresh(house, elsewhere["refresh_token"])).json()["code"] == "session_ended"
    assert (await refresh(house, here["refresh_token"])).status_code == 200
    assert (await house.login("ada")).status_code == 401
    assert (await house.login("ada", body["new_password"])).status_code == 200
    assert "user.password_change" in await actions(sql)


@pytest.mark.parametrize(
    ("current", "new", "code", "field"),
    [
        ("not the password", "five other words", "wrong_password", "current_password"),
        (PASSWORD, "short", "weak_password", "new_password"),
        (PASSWORD, "the address", "weak_password", "new_password"),
        (PASSWORD, PASSWORD, "same_password", "new_password"),
    ],
)
async def test_refused_passwords(house: House, current: str, new: str, code: str, field: str) -> None:
    entry = await house.enter("ada")
    new = house.email("ada").upper() if new == "the address" else new
    answer = await house.at(token=entry["access_token"]).post(
        "/auth/change-password", json={"current_password": current, "new_password": new}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["field"] == field
    assert (await house.login("ada")).status_code == 200


async def test_a_login_during_a_password_change_leaves_no_session_behind(house: House, sql) -> None:
    entry = await house.enter("ada")
    client = house.at(token=entry["access_token"])
    body = {"current_password": PASSWORD, "new_password": "five other words stand here"}
    answers = await asyncio.gather(
        client.post("/auth/change-password", json=body), *(house.login("ada") for _ in range(8))
    )
    assert answers[0].status_code == 200
    alive = await sql.fetch("select id from sessions where ended_at is null")
    assert [ids.encode("ses", row["id"]) for row in alive] == [entry["session_id"]]


async def test_sessions_that_are_long_over_are_forgotten(house: House, sql) -> None:
    fresh = (await house.enter("ada"))["session_id"]
    ended, idle = [(await house.login("ada")).json()["session_id"] for _ in range(2)]
    await sql.execute(
        "update sessions set ended_at = now() - interval '31 days' where id = $1", ids.decode("ses", ended)
    )
    await sql.execute(
        "update sessions set expires_at = now() - interval '31 days' where id = $1", ids.decode("ses", idle)
    )
    assert await run_retention(house.context, SUBSYSTEM.retention) == {"sessions": 2}
    left = await sql.fetch("select id from sessions")
    assert [ids.encode("ses", row["id"]) for row in left] == [fresh]


async def test_an_open_socket_is_told(house: House) -> None:
    """What a socket asks every second: does the session that opened it still count?"""
    entry = await house.enter("ada")
    connection = HTTPConnection({"type": "http", "headers": [], "client": ("127.0.0.1", 1)})
    principal = await auth.authenticate(house.context, entry["access_token"], connection)
    assert await auth.is_live(house.context, principal)
    house.advance(minutes=20)  # the access token has expired, the session has not
    assert await auth.is_live(house.context, principal)
    refreshed = (await refresh(house, entry["refresh_token"])).json()
    await house.at(token=refreshed["access_token"]).post("/auth/logout")
    assert not await auth.is_live(house.context, principal)
