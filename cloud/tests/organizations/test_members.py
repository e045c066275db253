"""Members over HTTP: roles, removal, leaving, handing over; and several organizations of one person."""

import asyncio

import pytest

from cloud.tests.auth.conftest import House, actions
from cloud.tests.organizations.test_organizations import enter
from edgeflow_cloud.kernel import ids


async def join(house: House, sql, name: str, organization: str, role: str, extra: str = "{}"):
    """Another person in the organization: client and user."""
    user = (await house.register(name)).json()["user"]["id"]
    await sql.execute(
        "insert into members (tenant_id, user_id, role, extra_permissions, joined_at) values ($1, $2, $3, $4, now())",
        ids.decode("org", organization),
        ids.decode("usr", user),
        role,
        extra.strip("{}").split(",") if extra != "{}" else [],
    )
    entry = (await house.login(name, organization_id=organization)).json()
    return house.at(token=entry["access_token"]), user


async def eventually(call, wanted: int) -> None:
    """Within the promised two seconds."""
    async with asyncio.timeout(2):
        while (await call()).status_code != wanted:  # noqa: ASYNC110 - another process would not tell
            await asyncio.sleep(0.1)


async def test_a_role_change_has_effect_within_two_seconds(house: House, sql) -> None:
    owner, organization, _ = await enter(house, "ada")
    bob, user = await join(house, sql, "bob", organization, "viewer")
    path = f"/organizations/{organization}/members/{user}"
    assert (await bob.post("/devices", json={"name": "x"})).status_code == 403
    changed = await owner.put(path, json={"role": "member", "extra_permissions": ["users:manage"]})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["role"], changed.json()["extra_permissions"]) == ("member", ["users:manage"])
    await eventually(lambda: bob.post("/devices", json={"name": "x"}), 201)
    assert (await owner.put(path, json={"role": "viewer"})).json()["extra_permissions"] == []
    await eventually(lambda: bob.post("/devices", json={"name": "y"}), 403)
    assert (await actions(sql)).count("org.member_role_change") == 2


async def test_a_removed_member_is_out_within_two_seconds(house: House, sql) -> None:
    owner, organization, _ = await enter(house, "ada")
    bob, user = await join(house, sql, "bob", organization, "member")
    assert (await bob.get("/devices")).status_code == 200
    path = f"/organizations/{organization}/members/{user}"
    assert (await owner.delete(path)).status_code == 204
    await eventually(lambda: bob.get("/devices"), 401)
    gone = await owner.delete(path)
    assert (gone.status_code, gone.json()["code"]) == (404, "member_not_found")
    assert "org.member_remove" in await actions(sql)


async def test_the_last_owner_stays(house: House, sql) -> None:
    owner, organization, user = await enter(house, "ada")
    path = f"/organizations/{organization}/members/{user}"
    for answer in (
        await owner.delete(path),
        await owner.put(path, json={"role": "admin"}),
        await owner.post(f"/organizations/{organization}/leave"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")


async def test_two_owners_cannot_remove_each_other_at_once(house: House, sql) -> None:
    ada, organization, ada_user = await enter(house, "ada")
    bob, bob_user = await join(house, sql, "bob", organization, "owner")
    path = f"/organizations/{organization}/members"
    answers = await asyncio.gather(ada.delete(f"{path}/{bob_user}"), bob.delete(f"{path}/{ada_user}"))
    assert sorted(answer.status_code for answer in answers) in ([204, 409], [204, 401], [204, 404])
    owners = "select count(*) from members where tenant_id = $1 and role = 'owner'"
    assert await sql.fetchval(owners, ids.decode("org", organization)) == 1


async def test_nobody_gives_or_takes_more_than_they_have(house: House, sql) -> None:
    _, organization, owner_user = await enter(house, "ada")
    admin, admin_user = await join(house, sql, "bob", organization, "admin")
    helper, _ = await join(house, sql, "cid", organization, "member", "{users:manage}")
    viewer_user = (await join(house, sql, "dan", organization, "viewer"))[1]
    path = f"/organizations/{organization}/members"
    up = await admin.put(f"{path}/{admin_user}", json={"role": "owner"})
    assert (up.status_code, up.json()["permission"]) == (403, "billing:manage")
    assert (await admin.delete(f"{path}/{owner_user}")).status_code == 403
    assert (await helper.put(f"{path}/{viewer_user}", json={"role": "admin"})).status_code == 403
    assert (await helper.delete(f"{path}/{admin_user}")).status_code == 403
    extra = {"role": "member", "extra_permissions": ["resources:delete"]}
    refused = await helper.put(f"{path}/{viewer_user}", json=extra)
    assert (refused.status_code, refused.json()["permission"]) == (403, "resources:delete")
    assert (await helper.put(f"{path}/{viewer_user}", json={"role": "member"})).status_code == 200
    assert (
        await admin.post(f"/organizations/{organization}/transfer-ownership", json={"user_id": admin_user})
    ).json()["permission"] == "organization:own"


async def test_the_organization_is_handed_over(house: House, sql) -> None:
    owner, organization, user = await enter(house, "ada")
    _, heir = await join(house, sql, "bob", organization, "viewer")
    path = f"/organizations/{organization}/transfer-ownership"
    unknown = await owner.post(path, json={"user_id": "usr_" + "0" * 26})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "member_not_found")
    done = await owner.post(path, json={"user_id": heir})
    assert (done.status_code, done.json()["role"]) == (200, "owner")
    rows = await sql.fetch(
        "select user_id, role from members where tenant_id = $1", ids.decode("org", organization)
    )
    assert {ids.encode("usr", row["user_id"]): row["role"] for row in rows} == {user: "admin", heir: "owner"}


async def test_a_member_leaves(house: House, sql) -> None:
    _, organization, _ = await enter(house, "ada")
    bob, _ = await join(house, sql, "bob", organization, "viewer")
    assert (await bob.post(f"/organizations/{organization}/leave")).status_code == 204
    await eventually(lambda: bob.get("/devices"), 401)


async def test_mfa_can_be_required(house: House, sql) -> None:
    owner, organization, user = await enter(house, "ada")
    members = (await owner.get(f"/organizations/{organization}/members")).json()["items"]
    assert [item["mfa_enabled"] for item in members] == [False]
    path = f"/organizations/{organization}"
    assert (await owner.put(path, json={"settings": {"require_mfa": True}})).status_code == 200
    await eventually(lambda: owner.get("/devices"), 403)
    refused = (await owner.get("/devices")).json()
    assert (refused["code"], refused["permission"]) == ("mfa_required", "devices:view")
    assert (await owner.get("/auth/profile")).status_code == 200
    await sql.execute("update users set mfa_enabled_at = now() where id = $1", ids.decode("usr", user))
    await eventually(lambda: owner.get("/devices"), 200)


async def test_several_organizations_and_entering_one(house: House, sql) -> None:
    ada, first, _ = await enter(house, "ada")
    made = await ada.post("/organizations", json={"name": "Second"})
    assert made.status_code == 201, made.text
    second = made.json()["id"]
    assert made.json()["plan"] == "enterprise" and made.json()["slug"] == "second"
    assert [item["id"] for item in (await ada.get("/organizations")).json()["items"]] == [first, second]
    assert (await ada.get(f"/organizations/{second}")).status_code == 404
    entry = (await ada.post("/auth/switch", json={"organization_id": second})).json()
    assert entry["user"]["organization_id"] == second and entry["user"]["role"] == "owner"
    inside = house.at(token=entry["access_token"])
    assert (await inside.get(f"/organizations/{second}")).status_code == 200
    assert (await ada.get(f"/organizations/{first}")).status_code == 200
    _, foreign, _ = await enter(house, "bob")
    for wanted in (foreign, "org_" + "0" * 26):
        refused = await ada.post("/auth/switch", json={"organization_id": wanted})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_a_member")


@pytest.mark.parametrize(
    "body", [{"role": "boss"}, {"role": "member", "extra_permissions": ["billing:manage"]}, {}]
)
async def test_refusals_of_roles(house: House, body: dict[str, object]) -> None:
    owner, organization, user = await enter(house, "ada")
    assert (await owner.put(f"/organizations/{organization}/members/{user}", json=body)).status_code == 422
