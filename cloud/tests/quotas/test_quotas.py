"""Limits over HTTP: at the limit one of two wins, calls are counted, and what works goes on working."""

import asyncio
from datetime import timedelta

import httpx2 as httpx
import pytest

from cloud.tests.auth.conftest import House, actions
from cloud.tests.organizations.test_organizations import enter
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.organizations import set_plan_of
from edgeflow_cloud.quotas import meter


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "_PLAN_KEPT", 0.0)
    monkeypatch.setattr(meter, "_GATHERED", 0.0)


async def on_plan(house: House, plan: str, name: str = "ada"):
    client, organization, user = await enter(house, name)
    await set_plan_of(house.context, organization, plan)
    return client, organization, user


async def test_of_many_at_the_limit_as_many_win_as_there_is_room(house: House, sql) -> None:
    client, _, _ = await on_plan(house, "free")
    answers = await asyncio.gather(*(client.post("/devices", json={"name": f"d{n}"}) for n in range(9)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [429] * 4
    refused = next(answer for answer in answers if answer.status_code == 429).json()
    assert (refused["title"], refused["error"], refused["code"]) == (
        "Quota Exceeded", "Quota Exceeded", "quota_exceeded"
    )  # fmt: skip
    assert "Starter" in refused["detail"] and refused["quota"]["limit"] == 5
    first = (await client.get("/devices")).json()["items"][0]
    assert (await client.delete(f"/devices/{first['device_id']}")).status_code == 204
    assert (await client.post("/devices", json={"name": "again"})).status_code == 201
    assert await sql.fetchval("select count(*) from devices") == 5


async def test_a_lower_plan_cuts_nothing_off(house: House, sql) -> None:
    client, organization, _ = await enter(house, "ada")
    made = [(await client.post("/devices", json={"name": f"d{n}"})).json() for n in range(7)]
    await set_plan_of(house.context, organization, "free")
    assert (await client.post("/devices", json={"name": "more"})).status_code == 429
    for device in made:
        itself = house.at()
        itself.headers["x-api-key"] = device["api_key"]
        assert (await itself.get(f"/devices/{device['device_id']}/shadow")).status_code == 200
    assert (await client.put(f"/devices/{made[0]['device_id']}", json={"name": "new"})).status_code == 200
    assert "org.plan_change" in await actions(sql)


async def test_projects_and_members_are_limited(house: House, sql) -> None:
    client, organization, _ = await on_plan(house, "free")
    await sql.execute("update users set email_verified_at = now()")
    assert (await client.post("/projects", json={"name": "one"})).status_code == 201
    second = await client.post("/projects", json={"name": "two"})
    assert (second.status_code, second.json()["quota"]["resource"]) == (429, "projects")
    path = f"/organizations/{organization}/invitations"
    for name in ("bob", "cid"):
        assert (await client.post(path, json={"email": house.email(name)})).status_code == 201
    assert (await client.post(path, json={"email": house.email("bob")})).status_code == 201  # the same person
    third = await client.post(path, json={"email": house.email("dan")})
    assert (third.status_code, third.json()["quota"]["resource"]) == (429, "members")


async def test_usage_is_shown(house: House) -> None:
    client, organization, _ = await on_plan(house, "free")
    await client.post("/devices", json={"name": "press"})
    usage = (await client.get(f"/organizations/{organization}/usage")).json()
    assert usage["plan"] == "free" and usage["features"] == ["basic_dashboard", "email_alerts"]
    found = {item["resource"]: (item["used"], item["limit"]) for item in usage["items"]}
    assert found == {
        "devices": (1, 5), "flows": (0, 10), "projects": (0, 1), "members": (1, 3), "api_calls": (1, 10_000)
    }  # fmt: skip


async def test_calls_are_counted_folded_and_refused(house: House, sql) -> None:
    client, organization, _ = await on_plan(house, "free")
    tenant = ids.decode("org", organization)
    for _ in range(3):
        assert (await client.get("/devices")).status_code == 200
    for path in ("/auth/profile", "/organizations", f"/organizations/{organization}/usage"):
        assert (await client.get(path)).status_code == 200  # these do not count
    await meter.fold(house.context, {})
    await meter.fold(house.context, {})
    count = "select calls from api_calls where tenant_id = $1"
    assert await sql.fetchval(count, tenant) == 3
    await sql.execute("update api_calls set calls = 9999 where tenant_id = $1", tenant)
    key = f"calls:{house.clock.now():%Y-%m-%d}"
    await house.context.bus.client.hdel(key, tenant.hex)  # a wiped Valkey goes on from PostgreSQL
    assert (await client.get("/devices")).status_code == 200
    refused = await client.get("/devices")
    assert (refused.status_code, refused.json()["error"]) == (429, "Quota Exceeded")
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    usage = (await client.get(f"/organizations/{organization}/usage")).json()
    assert usage["items"][-1]["used"] == usage["items"][-1]["limit"] == 10_000
    await set_plan_of(house.context, organization, "starter")
    assert (await client.get("/devices")).status_code == 200


async def test_a_new_day_begins_at_nought(house: House) -> None:
    client, organization, _ = await on_plan(house, "free")
    await client.get("/devices")
    house.clock.advance(timedelta(days=1))
    client = house.at(token=(await house.login("ada")).json()["access_token"])
    usage = (await client.get(f"/organizations/{organization}/usage")).json()
    assert usage["items"][-1]["used"] == 0


async def test_keys_need_a_plan_with_api_access(house: House) -> None:
    client, organization, _ = await on_plan(house, "free")
    body = {"name": "report", "scopes": ["devices:read"]}
    refused = await client.post("/api-keys", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "feature_not_in_plan")
    assert refused.json()["upgrade_to"] == "starter"
    await set_plan_of(house.context, organization, "starter")
    key = (await client.post("/api-keys", json=body)).json()["key"]
    program = house.at()
    program.headers["x-api-key"] = key
    assert (await program.get("/devices")).status_code == 200
    await set_plan_of(house.context, organization, "free")
    assert (await program.get("/devices")).json()["code"] == "feature_not_in_plan"


@pytest.mark.parametrize("format", ["csv", "jsonl"])
async def test_the_audit_log_is_exported_by_plan_and_read_by_all(house: House, format: str) -> None:
    client, organization, _ = await on_plan(house, "starter")
    refused = await client.get("/audit/export", params={"format": format})
    assert (refused.status_code, refused.json()["code"]) == (403, "feature_not_in_plan")
    assert refused.json()["upgrade_to"] == "pro"
    assert (await client.get("/audit")).status_code == 200
    assert (await client.get("/audit/verify")).status_code == 200
    await set_plan_of(house.context, organization, "pro")
    allowed = await client.get("/audit/export", params={"format": format})
    assert allowed.status_code == 200 and allowed.content


async def test_a_device_over_the_limit_is_told_and_keeps_its_code(house: House, sql) -> None:
    client, organization, _ = await on_plan(house, "free")
    for number in range(5):
        await client.post("/devices", json={"name": f"d{number}"})
    code = (await client.post("/provisioning-codes", json={})).json()["items"][0]["code"]
    body = {"provisioning_code": code, "hardware_info": {"serial": "1"}}

    async def claim() -> httpx.Response:
        return await house.at().post("/devices/provision", json=body)

    refused = await claim()
    assert (refused.status_code, refused.json()["error"]) == (429, "Quota Exceeded")
    await set_plan_of(house.context, organization, "starter")
    assert (await claim()).status_code == 201


async def test_calls_that_are_gathered_are_all_told_and_near_the_limit_each_is(
    house: House, sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meter, "_GATHERED", 0.2)
    client, organization, _ = await on_plan(house, "free")
    tenant = ids.decode("org", organization)
    for _ in range(12):
        assert (await client.get("/devices")).status_code == 200
    usage = (await client.get(f"/organizations/{organization}/usage")).json()
    assert usage["items"][-1]["used"] == 12  # with those that Valkey does not know yet
    await asyncio.sleep(0.5)
    key = f"calls:{house.clock.now():%Y-%m-%d}"
    assert await house.context.bus.read_count(key, tenant.hex) == 12
    await house.context.bus.client.hset(key, tenant.hex, 9_990)
    await asyncio.sleep(0.3)
    answers = [(await client.get("/devices")).status_code for _ in range(14)]
    assert answers == [200] * 10 + [429] * 4
