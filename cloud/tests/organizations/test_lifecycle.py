"""Suspension, deletion with its grace time, purge."""

from datetime import timedelta

import pytest

from cloud.tests.auth.conftest import House, actions
from cloud.tests.organizations.test_members import eventually, join
from cloud.tests.organizations.test_organizations import enter
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.organizations import list_organizations, resume_organization, suspend_organization
from edgeflow_cloud.organizations.lifecycle import jobs
from edgeflow_cloud.organizations.lifecycle.service import GRACE


async def test_suspension_closes_every_door_and_opens_it_again(house: House, sql) -> None:
    ada, organization, _ = await enter(house, "ada")
    device = (await ada.post("/devices", json={"name": "press"})).json()
    key = (await ada.post("/api-keys", json={"name": "a", "scopes": ["devices:read"]})).json()["key"]
    program, itself = house.at(), house.at()
    program.headers["x-api-key"], itself.headers["x-api-key"] = key, device["api_key"]
    shadow = f"/devices/{device['device_id']}/shadow"
    await suspend_organization(house.context, "ada", "unpaid")
    for client, path in ((program, "/devices"), (itself, shadow)):
        refused = await client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "organization_suspended")
    await eventually(lambda: ada.get("/devices"), 403)
    assert "operator" in (await ada.get("/devices")).json()["detail"]
    login = await house.login("ada")
    assert (login.status_code, login.json()["code"]) == (403, "organization_suspended")
    assert [item.state.value for item in await list_organizations(house.context, "ada")] == ["suspended"]
    await resume_organization(house.context, organization)
    await eventually(lambda: ada.get("/devices"), 200)
    assert (await program.get("/devices")).status_code == 200
    assert (await itself.get(shadow)).status_code == 200
    assert {"org.suspend", "org.resume"} <= set(await actions(sql))
    with pytest.raises(NotFound):
        await suspend_organization(house.context, "nobody", "")


async def test_log_in_goes_to_an_open_organization(house: House, sql) -> None:
    ada, _, _ = await enter(house, "ada")
    second = (await ada.post("/organizations", json={"name": "Second"})).json()["id"]
    await suspend_organization(house.context, "ada", "")
    assert (await house.login("ada")).json()["user"]["organization_id"] == second


async def test_a_deleted_organization_can_be_restored_by_its_owner_alone(house: House, sql) -> None:
    ada, organization, _ = await enter(house, "ada")
    admin, _ = await join(house, sql, "bob", organization, "admin")
    path = f"/organizations/{organization}"
    refused = await admin.delete(path)
    assert (refused.status_code, refused.json()["permission"]) == (403, "organization:own")
    gone = await ada.delete(path)
    assert (gone.status_code, gone.json()["state"]) == (200, "deleted")
    await eventually(lambda: admin.get("/devices"), 403)
    assert (await admin.get("/devices")).json()["code"] == "organization_deleted"
    await eventually(lambda: ada.get("/devices"), 403)
    inside = house.at(token=(await house.login("ada")).json()["access_token"])
    assert (await inside.get("/devices")).json()["code"] == "organization_deleted"
    assert (await inside.get(path)).json()["purge_after"] is not None
    assert (await inside.delete(path)).json()["code"] == "already_deleted"
    restored = await inside.post(f"{path}/restore")
    assert (restored.status_code, restored.json()["state"]) == (200, "active")
    assert (await inside.post(f"{path}/restore")).json()["code"] == "not_deleted"
    await eventually(lambda: admin.get("/devices"), 200)
    assert {"org.delete", "org.restore"} <= set(await actions(sql))


async def rows_of(sql, organization: str) -> dict[str, int]:
    """Every table that still holds rows of the organization."""
    tables = await sql.fetch(
        """
        select c.oid::regclass::text as name from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        """
    )
    found = {
        row["name"]: await sql.fetchval(
            f"select count(*) from {row['name']} where tenant_id = $1", ids.decode("org", organization)
        )
        for row in tables
    }
    return {name: count for name, count in found.items() if count}


async def test_after_the_grace_time_every_row_is_gone(house: House, sql) -> None:
    ada, organization, _ = await enter(house, "ada")
    _, other, _ = await enter(house, "bob")
    await sql.execute("update users set email_verified_at = now()")
    device = (await ada.post("/devices", json={"name": "press"})).json()["device_id"]
    await ada.post("/projects", json={"name": "line"})
    await ada.post("/provisioning-codes", json={})
    await ada.post("/api-keys", json={"name": "a", "scopes": ["devices:read"]})
    await ada.put(f"/devices/{device}/shadow", json={"desired": {"a": 1}})
    await ada.post(f"/devices/{device}/commands", json={"action": "x", "ttl": 60})
    await ada.post(f"/organizations/{organization}/invitations", json={"email": house.email("cid")})
    await ada.get("/devices")
    before, others = await rows_of(sql, organization), await rows_of(sql, other)
    assert {"devices", "shadows", "commands", "projects", "api_keys", "invitations", "members"} <= set(before)
    await ada.delete(f"/organizations/{organization}")
    house.clock.advance(GRACE - timedelta(hours=1))
    await jobs.purge(house.context, {})
    assert (await rows_of(sql, organization))["devices"] == 1
    house.clock.advance(timedelta(hours=2))
    await sql.execute("update organizations set purge_after = now() where purge_after is not null")
    await jobs.purge(house.context, {})
    left = await rows_of(sql, organization)
    assert {name for name in left if not name.startswith("audit_")} == set()
    assert (await rows_of(sql, other)) == others
    lost = await house.login("ada")
    assert (lost.status_code, lost.json()["code"]) == (403, "not_a_member")


async def test_a_restored_organization_is_not_purged(house: House, sql) -> None:
    ada, organization, _ = await enter(house, "ada")
    await ada.post("/devices", json={"name": "press"})
    await ada.delete(f"/organizations/{organization}")
    await eventually(lambda: ada.get("/devices"), 403)
    await ada.post(f"/organizations/{organization}/restore")
    before = await rows_of(sql, organization)
    await jobs._purge(
        house.context, TenantId(ids.decode("org", organization))
    )  # a run that had seen it as due
    assert await rows_of(sql, organization) == before


async def test_refusals_are_noted_and_not_too_many_of_them(house: House, sql) -> None:
    _, organization, _ = await enter(house, "ada")
    bob, user = await join(house, sql, "bob", organization, "viewer")
    for _ in range(14):
        assert (await bob.post("/devices", json={"name": "x"})).status_code == 403
    rows = await sql.fetch(
        "select actor_id, resource_id, status, new_values from audit_entries"
        " where action = 'security.permission_denied'"
    )
    assert len(rows) == 10
    assert (rows[0]["actor_id"], rows[0]["resource_id"], rows[0]["status"]) == (
        user,
        "devices:manage",
        "failure",
    )
    assert "POST /api/v1/devices" in rows[0]["new_values"]
