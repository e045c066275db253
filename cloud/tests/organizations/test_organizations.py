"""Organizations over HTTP, and that two of them never see each other."""

from typing import Any

import pytest

from cloud.tests.auth.conftest import House, actions
from edgeflow_cloud.kernel import ids


async def enter(house: House, name: str) -> tuple[Any, str, str]:
    """Register and log in: client, organization, user."""
    entry = await house.enter(name)
    return (
        house.at(token=entry["access_token"]),
        entry["user"]["organization_id"],
        entry["user"]["id"],
    )


async def test_own_organizations_with_the_role(house: House) -> None:
    client, organization, _ = await enter(house, "ada")
    body = (await client.get("/organizations")).json()
    assert body["total"] == 1 and body["next_cursor"] is None
    item = body["items"][0]
    assert set(item) == {
        "id", "name", "slug", "plan", "settings", "metadata", "created_at", "updated_at", "role",
        "state", "deleted_at", "purge_after",
    }  # fmt: skip
    assert (item["id"], item["role"]) == (organization, "owner")


async def test_change_and_version(house: House, sql) -> None:
    client, organization, _ = await enter(house, "ada")
    path = f"/organizations/{organization}"
    before = await client.get(path)
    assert before.headers["etag"] == '"1"'
    change = {
        "name": "Ada & Co",
        "settings": {"default_timezone": "America/New_York", "notification_email": "ops@example.com"},
        "metadata": {"industry": "food", "region": ["eu", 1, None]},
    }
    after = await client.put(path, json=change, headers={"if-match": '"1"'})
    assert after.status_code == 200, after.text
    assert after.headers["etag"] == '"2"'
    assert after.json() | change == after.json()
    assert after.json()["slug"] == "ada"
    stale = await client.put(path, json={"name": "X"}, headers={"if-match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    merged = await client.put(path, json={"settings": {"notification_email": None}})
    assert merged.json()["settings"] == {"default_timezone": "America/New_York"}
    assert (await client.get(path)).json() == merged.json()
    assert (await actions(sql)).count("org.update") == 2
    log = await sql.fetchrow(
        "select old_values::text, new_values::text from audit_entries where action = 'org.update'"
    )
    assert "Ada Ltd" in log[0] and "Ada & Co" in log[1]


async def test_a_slug_of_another_is_refused_and_nothing_changed(house: House, sql) -> None:
    await enter(house, "bob")
    client, organization, _ = await enter(house, "ada")
    answer = await client.put(f"/organizations/{organization}", json={"slug": "bob", "name": "X"})
    assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")
    assert (await client.get(f"/organizations/{organization}")).json()["name"] == "Ada Ltd"
    assert "org.update" not in await actions(sql)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"plan": "free"}, "plan"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"slug": "UPPER"}, "slug"),
        ({"slug": "-a"}, "slug"),
        ({"settings": {"unknown": 1}}, "settings.unknown"),
        ({"settings": {"default_timezone": "Nowhere"}}, "settings.default_timezone"),
        ({"metadata": {"a": "x" * 17_000}}, "metadata"),
    ],
)
async def test_refusals_name_the_field(house: House, body: dict[str, object], field: str) -> None:
    client, organization, _ = await enter(house, "ada")
    answer = await client.put(f"/organizations/{organization}", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_members_in_pages(house: House, sql) -> None:
    client, organization, user = await enter(house, "ada")
    for name in ("bob", "cid"):
        other = (await house.register(name)).json()["user"]["id"]
        await sql.execute(
            """
            insert into members (tenant_id, user_id, role, extra_permissions, joined_at)
            values ($1, $2, 'viewer', '{devices:manage}', clock_timestamp() + interval '1 day')
            """,
            ids.decode("org", organization),
            ids.decode("usr", other),
        )
    path = f"/organizations/{organization}/members"
    whole = (await client.get(path)).json()
    assert [item["first_name"] for item in whole["items"]] == ["Ada", "Bob", "Cid"]
    assert whole["total"] == 3 and whole["next_cursor"] is None
    assert set(whole["items"][0]) == {
        "user_id", "email", "first_name", "last_name", "role", "extra_permissions", "mfa_enabled",
        "joined_at",
    }  # fmt: skip
    assert whole["items"][0]["user_id"] == user
    first = (await client.get(path, params={"limit": 2})).json()
    second = (await client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert first["items"] + second["items"] == whole["items"]
    assert (await client.get(path, params={"offset": 1})).json()["items"] == whole["items"][1:]
    bad = await client.get(path, params={"cursor": "WyJ4IiwieSJd"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_cursor")
    viewer = (await house.login("bob", organization_id=organization)).json()
    profile = await house.at(token=viewer["access_token"]).get("/auth/profile")
    assert "devices:manage" in profile.json()["permissions"]
    assert "users:manage" not in profile.json()["permissions"]


async def test_two_organizations_never_see_each_other(house: House, sql) -> None:
    ada, ada_org, ada_user = await enter(house, "ada")
    bob, bob_org, _ = await enter(house, "bob")
    missing = "org_" + "0" * 26
    for path in ("/organizations/{}", "/organizations/{}/members"):
        foreign, absent = await bob.get(path.format(ada_org)), await bob.get(path.format(missing))
        assert foreign.status_code == absent.status_code == 404
        assert foreign.json()["detail"] == absent.json()["detail"]
    changed = await bob.put(f"/organizations/{ada_org}", json={"name": "Mine"})
    assert changed.status_code == 404
    assert (await ada.get(f"/organizations/{ada_org}")).json()["name"] == "Ada Ltd"
    for path in (
        "/organizations",
        "/auth/profile",
        f"/organizations/{bob_org}",
        f"/organizations/{bob_org}/members",
    ):
        text = (await bob.get(path)).text
        assert ada_org not in text and ada_user not in text and house.email("ada") not in text
    made = await ada.post("/devices", json={"name": "press"})
    assert made.status_code == 201, made.text
    device = made.json()["device_id"]
    assert (await bob.get(f"/devices/{device}")).status_code == 404
    assert (await bob.get("/devices")).json()["items"] == []


async def test_somebody_in_both_sees_the_one_of_the_session(house: House, sql) -> None:
    ada, ada_org, ada_user = await enter(house, "ada")
    _, bob_org, _ = await enter(house, "bob")
    await sql.execute(
        """
        insert into members (tenant_id, user_id, role, joined_at)
        values ($1, $2, 'viewer', clock_timestamp() + interval '1 day')
        """,
        ids.decode("org", bob_org),
        ids.decode("usr", ada_user),
    )
    assert [item["role"] for item in (await ada.get("/organizations")).json()["items"]] == ["owner", "viewer"]
    assert (await ada.get(f"/organizations/{bob_org}")).status_code == 404
    guest = house.at(token=(await house.login("ada", organization_id=bob_org)).json()["access_token"])
    assert (await guest.get(f"/organizations/{bob_org}")).status_code == 200
    refused = await guest.put(f"/organizations/{bob_org}", json={"name": "X"})
    assert (refused.status_code, refused.json()["permission"]) == (403, "organization:manage")
    assert (await guest.get(f"/organizations/{ada_org}")).status_code == 404
