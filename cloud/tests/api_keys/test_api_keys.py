"""Programs' keys over HTTP: scopes, end, last use, revocation."""

from datetime import timedelta

import httpx2 as httpx
import pytest

from cloud.tests.auth.conftest import House, actions
from cloud.tests.organizations.test_organizations import enter
from edgeflow_cloud.api_keys import SCOPES
from edgeflow_cloud.organizations import PERMISSIONS


def with_key(house: House, key: str) -> httpx.AsyncClient:
    client = house.at()
    client.headers["x-api-key"] = key
    return client


async def test_a_key_is_shown_once_and_opens_what_its_scopes_say(house: House, sql) -> None:
    client, organization, user = await enter(house, "ada")
    made = await client.post("/api-keys", json={"name": "report", "scopes": ["devices:read"]})
    assert made.status_code == 201, made.text
    key = made.json()["key"]
    assert key.startswith("edgeflow_") and len(key) > 45
    assert made.json()["prefix"] == key[:15]
    listed = (await client.get("/api-keys")).json()
    assert listed["total"] == 1 and "key" not in listed["items"][0]
    assert listed["items"][0]["created_by"] == user and listed["items"][0]["last_used_at"] is None
    assert key.encode() not in str(await sql.fetch("select * from api_keys")).encode()
    program = with_key(house, key)
    assert (await program.get("/devices")).status_code == 200
    assert [item["id"] for item in (await program.get("/organizations")).json()["items"]] == [organization]
    refused = await program.post("/devices", json={"name": "x"})
    assert (refused.status_code, refused.json()["permission"]) == (403, "devices:manage")
    assert "scope" in refused.json()["detail"]
    assert (await program.get("/auth/profile")).json()["code"] == "people_only"
    assert "security.api_key_create" in await actions(sql)


async def test_a_revoked_key_is_dead_at_once(house: House, sql) -> None:
    client, _, _ = await enter(house, "ada")
    made = (await client.post("/api-keys", json={"name": "a", "scopes": ["devices:read"]})).json()
    program = with_key(house, made["key"])
    assert (await program.get("/devices")).status_code == 200
    assert (await client.delete(f"/api-keys/{made['id']}")).status_code == 204
    dead = await program.get("/devices")
    assert (dead.status_code, dead.json()["code"]) == (401, "invalid_key")
    again = await client.delete(f"/api-keys/{made['id']}")
    assert (again.status_code, again.json()["code"]) == (404, "api_key_not_found")
    assert (await actions(sql))[-1] == "security.api_key_revoke"


async def test_a_key_ends_by_itself_and_notes_its_use_once_a_minute(house: House, sql) -> None:
    client, _, _ = await enter(house, "ada")
    body = {"name": "a", "scopes": ["devices:read"], "expires_in": 600}
    key = (await client.post("/api-keys", json=body)).json()["key"]
    program = with_key(house, key)
    used = "select last_used_at from api_keys"
    start = house.clock.now()
    for seconds, expected in ((0, 0), (30, 0), (31, 61), (20, 61), (41, 122)):
        house.advance(seconds=seconds)
        assert (await program.get("/devices")).status_code == 200
        assert await sql.fetchval(used) == start + timedelta(seconds=expected)
    house.advance(seconds=600)
    assert (await program.get("/devices")).status_code == 401


async def test_nobody_gives_a_key_more_than_they_have(house: House, sql) -> None:
    client, _, _ = await enter(house, "ada")
    await sql.execute("update members set role = 'admin'")
    refused = await client.post("/api-keys", json={"name": "a", "scopes": ["owners:manage"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_scope")
    assert (await client.post("/api-keys", json={"name": "a", "scopes": []})).status_code == 422
    for scope in SCOPES:
        assert (await client.post("/api-keys", json={"name": "a", "scopes": [scope]})).status_code == 201


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_scopes_name_permissions_that_there_are(scope: str) -> None:
    assert SCOPES[scope] <= set(PERMISSIONS)
    assert not SCOPES[scope] & {"api_keys:manage", "organization:own", "billing:manage"}


async def test_a_key_is_good_from_its_addresses_only(house: House, sql) -> None:
    client, _, _ = await enter(house, "ada")
    body = {
        "name": "a",
        "scopes": ["devices:read"],
        "networks": ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32"],
    }
    made = (await client.post("/api-keys", json=body)).json()
    assert made["networks"] == ["203.0.113.0/24", "198.51.100.7/32", "2001:db8::/32"]
    assert (await client.get("/api-keys")).json()["items"][0]["networks"] == made["networks"]

    async def call(address: str) -> httpx.Response:
        program = house.at(address)
        program.headers["x-api-key"] = made["key"]
        return await program.get("/devices")

    for address in ("203.0.114.1", "198.51.100.8", "2001:db9::1", "::1", "::ffff:10.0.0.1", "unix"):
        refused = await call(address)
        assert (refused.status_code, refused.json()["code"]) == (403, "address_not_allowed"), address
    assert await sql.fetchval("select last_used_at from api_keys") is None
    for address in ("203.0.113.255", "198.51.100.7", "2001:db8:1::1", "::ffff:203.0.113.9"):
        assert (await call(address)).status_code == 200, address
    assert await sql.fetchval("select last_used_at from api_keys") is not None


@pytest.mark.parametrize(
    "network", ["203.0.113.1/24", "300.1.1.1", "everywhere", "10.0.0.0/33", "::1%eth0/64"]
)
async def test_a_range_that_is_none_is_refused_with_an_example(house: House, network: str) -> None:
    client, _, _ = await enter(house, "ada")
    refused = await client.post(
        "/api-keys", json={"name": "a", "scopes": ["devices:read"], "networks": [network]}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_network")
    assert "203.0.113.0/24" in refused.json()["detail"]


async def test_keys_come_in_pages(house: House) -> None:
    client, _, _ = await enter(house, "ada")
    for number in range(3):
        await client.post("/api-keys", json={"name": f"key {number}", "scopes": ["devices:read"]})
    first = (await client.get("/api-keys", params={"limit": 2})).json()
    second = (await client.get("/api-keys", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    names = [item["name"] for item in first["items"] + second["items"]]
    assert names == ["key 2", "key 1", "key 0"] and second["next_cursor"] is None
