"""One's sessions: seen, ended one by one or all at once, and a way into another organization."""

import asyncio
import time
from typing import Any

from cloud.tests.auth.conftest import House, actions
from cloud.tests.auth.test_login import join
from cloud.tests.auth.test_sessions import profile, refresh
from edgeflow_cloud.auth import standing
from edgeflow_cloud.kernel import ids


async def listed(house: House, entry: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await house.at(token=entry["access_token"]).get("/auth/sessions")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_the_list_says_where_and_when(house: House) -> None:
    first = await house.enter("ada")
    house.advance(minutes=5)
    second = (await house.login("ada")).json()
    await house.enter("bob")
    items = await listed(house, second)
    assert [item["session_id"] for item in items] == [second["session_id"], first["session_id"]]
    assert [item["current"] for item in items] == [True, False]
    assert set(items[0]) == {
        "session_id",
        "current",
        "organization_id",
        "organization_name",
        "ip_address",
        "user_agent",
        "created_at",
        "last_seen_at",
        "expires_at",
    }
    assert (items[0]["ip_address"], items[0]["user_agent"]) == (house.address, "test")
    assert items[0]["organization_name"] == "Ada Ltd"


async def test_last_seen_moves_with_use_and_not_more_than_once_a_minute(house: House, sql) -> None:
    entry = await house.enter("ada")
    (before,) = await listed(house, entry)
    house.advance(seconds=30)
    standing._recent.clear()
    (same,) = await listed(house, entry)
    assert same["last_seen_at"] == before["last_seen_at"]
    house.advance(minutes=3)
    await asyncio.sleep(1.1)  # what Valkey knows has aged
    standing._recent.clear()
    assert await profile(house, entry) == 200
    (after,) = await listed(house, entry)
    assert after["last_seen_at"] > before["last_seen_at"]
    assert after["created_at"] == before["created_at"]


async def test_a_refresh_shows_where_it_came_from(house: House) -> None:
    entry = await house.enter("ada")
    moved = await house.at("203.0.113.7").post(
        "/auth/refresh", json={"refresh_token": entry["refresh_token"]}, headers={"user-agent": "train"}
    )
    (item,) = await listed(house, moved.json())
    assert (item["ip_address"], item["user_agent"]) == ("203.0.113.7", "train")


async def test_an_ended_one_has_no_effect(house: House, sql) -> None:
    here, there = await house.enter("ada"), (await house.login("ada")).json()
    assert await profile(house, there) == 200
    client = house.at(token=here["access_token"])
    answer = await client.delete(f"/auth/sessions/{there['session_id']}")
    assert answer.status_code == 204
    started = time.monotonic()
    while await profile(house, there) == 200:
        assert time.monotonic() - started < 2
    assert (await refresh(house, there["refresh_token"])).json()["code"] == "session_ended"
    assert await profile(house, here) == 200
    assert [item["session_id"] for item in await listed(house, here)] == [here["session_id"]]
    assert (await actions(sql))[-1] == "user.session_revoke"
    again = await client.delete(f"/auth/sessions/{there['session_id']}")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


async def test_nobody_ends_anothers(house: House) -> None:
    ada, bob = await house.enter("ada"), await house.enter("bob")
    client = house.at(token=bob["access_token"])
    for session_id in (ada["session_id"], ids.encode("ses", ids.new())):
        answer = await client.delete(f"/auth/sessions/{session_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await profile(house, ada) == 200


async def test_all_others_at_once(house: House, sql) -> None:
    here = await house.enter("ada")
    others = [(await house.login("ada")).json() for _ in range(3)]
    client = house.at(token=here["access_token"])
    answer = await client.delete("/auth/sessions")
    assert (answer.status_code, answer.json()) == (200, {"ended_sessions": 3})
    assert await profile(house, here) == 200
    assert {await profile(house, other) for other in others} == {401}
    assert (await client.delete("/auth/sessions")).json() == {"ended_sessions": 0}
    assert (await actions(sql)).count("user.session_revoke") == 1


async def test_sessions_of_every_organization_are_shown_and_ended(house: House, sql) -> None:
    ada, bob = (await house.register("ada")).json(), (await house.register("bob")).json()
    await join(sql, ada, bob, "viewer")
    home = (await house.login("ada")).json()
    away = (await house.login("ada", organization_id=bob["organization"]["id"])).json()
    names = {item["organization_name"] for item in await listed(house, home)}
    assert names == {"Ada Ltd", "Bob Ltd"}
    client = house.at(token=home["access_token"])
    assert (await client.delete(f"/auth/sessions/{away['session_id']}")).status_code == 204
    assert await profile(house, away) == 401


async def test_changing_the_organization(house: House, sql) -> None:
    ada, bob = (await house.register("ada")).json(), (await house.register("bob")).json()
    await join(sql, ada, bob, "viewer")
    home = (await house.login("ada")).json()
    client = house.at(token=home["access_token"])
    answer = await client.post("/auth/switch", json={"organization_id": bob["organization"]["id"]})
    assert answer.status_code == 200, answer.text
    away = answer.json()
    assert set(away) == set(home)
    assert (away["user"]["organization_id"], away["user"]["role"]) == (bob["organization"]["id"], "viewer")
    assert away["session_id"] != home["session_id"]
    assert await profile(house, home) == await profile(house, away) == 200
    row = await sql.fetchrow("select tenant_id, action from audit_entries order by id desc limit 1")
    assert (row["action"], ids.encode("org", row["tenant_id"])) == ("user.login", bob["organization"]["id"])
    other = (await house.register("eve")).json()["organization"]["id"]
    for wanted in (other, ids.encode("org", ids.new())):
        refused = await client.post("/auth/switch", json={"organization_id": wanted})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_a_member")


async def test_a_dead_session_bears_no_new_one(house: House, sql) -> None:
    """The session ended, and this process has not heard of it yet."""
    ada, bob = (await house.register("ada")).json(), (await house.register("bob")).json()
    await join(sql, ada, bob, "viewer")
    entry = (await house.login("ada")).json()
    assert await profile(house, entry) == 200
    await sql.execute("update sessions set ended_at = now()")
    answer = await house.at(token=entry["access_token"]).post(
        "/auth/switch", json={"organization_id": bob["organization"]["id"]}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
    assert await sql.fetchval("select count(*) from sessions where ended_at is null") == 0
