"""Who has no second factor, and what becomes of them where one is required: people, sessions, sockets, programs."""

import asyncio
import time

from cloud.tests.auth.conftest import PASSWORD, House, actions
from cloud.tests.auth.test_mfa import enrol
from cloud.tests.auth.test_races import Page
from cloud.tests.organizations.test_members import eventually, join
from cloud.tests.organizations.test_organizations import enter
from edgeflow_cloud.app.site import create_site
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra.blobs import BlobProxy


async def secured(house: House, name: str, organization: str):
    """Somebody with a second factor, logged in with it: client, phone."""
    entry = (await house.login(name, organization_id=organization)).json()
    phone, _ = await enrol(house, entry)
    inside = (await house.login(name, organization_id=organization, mfa_code=phone.code())).json()
    house.advance(seconds=30)
    return house.at(token=inside["access_token"]), phone


async def without(client, organization: str) -> list[str]:
    """The first names of those who have no second factor."""
    listed = (await client.get(f"/organizations/{organization}/members")).json()["items"]
    return [member["first_name"] for member in listed if not member["mfa_enabled"]]


async def require(client, organization: str, wanted: bool = True) -> None:
    answer = await client.put(f"/organizations/{organization}", json={"settings": {"require_mfa": wanted}})
    assert answer.status_code == 200, answer.text


async def test_who_has_none_is_seen(house: House, sql) -> None:
    _, organization, _ = await enter(house, "ada")
    await join(house, sql, "bob", organization, "member")
    await join(house, sql, "cid", organization, "viewer")
    ada, _ = await secured(house, "ada", organization)
    assert await without(ada, organization) == ["Bob", "Cid"]
    await secured(house, "cid", organization)
    assert await without(ada, organization) == ["Bob"]


async def test_who_has_none_may_enable_it_and_nothing_else(house: House, sql) -> None:
    _, organization, _ = await enter(house, "ada")
    ada, _ = await secured(house, "ada", organization)
    bob, _ = await join(house, sql, "bob", organization, "admin")
    second = house.at(token=(await house.login("bob", organization_id=organization)).json()["access_token"])
    assert (await bob.get("/devices")).status_code == 200
    await require(ada, organization)

    # Every session of theirs, within two seconds; they stay logged in.
    for client in (bob, second):
        await eventually(lambda client=client: client.get("/devices"), 403)
        refused = (await client.get("/devices")).json()
        assert (refused["code"], refused["permission"]) == ("mfa_required", "devices:view")
        assert "enable it in your profile" in refused["detail"]
        assert (await client.get("/auth/profile")).status_code == 200
        assert (await client.get("/auth/sessions")).json()["total"] == 2
    writes = {
        "/devices": {"name": "x"},
        "/api-keys": {"name": "x", "scopes": ["devices:read"]},
        "/live/ticket": None,
        f"/organizations/{organization}/invitations": {"email": "x@example.com"},
    }
    for path, body in writes.items():
        refused = await bob.post(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "mfa_required"), path
    # Not even the rule itself; nor does a new log-in or a refresh go around it.
    off = await bob.put(f"/organizations/{organization}", json={"settings": {"require_mfa": False}})
    assert (off.status_code, off.json()["code"]) == (403, "mfa_required")
    again = (await house.login("bob", organization_id=organization)).json()
    assert (await house.at(token=again["access_token"]).get("/devices")).status_code == 403
    refreshed = await house.at().post("/auth/refresh", json={"refresh_token": again["refresh_token"]})
    assert refreshed.status_code == 200
    assert (await house.at(token=refreshed.json()["access_token"]).get("/devices")).status_code == 403
    assert (await ada.get("/devices")).status_code == 200

    # Enabling it is enough, for each session; switching it off shuts them out again.
    phone, _ = await enrol(house, again)
    for client in (bob, second):
        await eventually(lambda client=client: client.get("/devices"), 200)
    assert await without(ada, organization) == []
    gone = await bob.post("/auth/mfa/disable", json={"password": PASSWORD, "code": phone.code()})
    assert gone.status_code in {200, 204}, gone.text
    await eventually(lambda: bob.get("/devices"), 403)
    await require(ada, organization, False)
    await eventually(lambda: bob.get("/devices"), 200)
    assert (await actions(sql)).count("org.update") == 2


async def test_another_organization_of_theirs_is_none_of_it(house: House, sql) -> None:
    _, organization, _ = await enter(house, "ada")
    ada, _ = await secured(house, "ada", organization)
    await join(house, sql, "bob", organization, "viewer")
    await require(ada, organization)
    entered = (await house.login("bob", organization_id=organization)).json()
    bob = house.at(token=entered["access_token"])
    (home,) = [
        item["id"] for item in (await bob.get("/organizations")).json()["items"] if item["id"] != organization
    ]
    at_home = house.at(token=(await house.login("bob", organization_id=home)).json()["access_token"])
    assert (await at_home.get("/devices")).status_code == 200
    entered = (await at_home.post("/auth/switch", json={"organization_id": organization})).json()
    refused = await house.at(token=entered["access_token"]).get("/devices")
    assert refused.json()["code"] == "mfa_required"


async def test_programs_and_devices_go_on(house: House, sql) -> None:
    """A key has no second factor: what may be done with it was decided by who made it, in a session that had one."""
    _, organization, _ = await enter(house, "ada")
    ada, _ = await secured(house, "ada", organization)
    bob, _ = await join(house, sql, "bob", organization, "admin")
    device = (await ada.post("/devices", json={"name": "press"})).json()
    key = (await bob.post("/api-keys", json={"name": "night", "scopes": ["devices:read"]})).json()["key"]
    program, itself = house.at(), house.at()
    program.headers["x-api-key"], itself.headers["x-api-key"] = key, device["api_key"]
    await require(ada, organization)
    await eventually(lambda: bob.get("/devices"), 403)
    assert (await program.get("/devices")).status_code == 200
    assert (await itself.get(f"/devices/{device['device_id']}/shadow")).status_code == 200
    listed = (await ada.get("/api-keys")).json()["items"]
    assert [item["name"] for item in listed] == ["night"], "who made it is seen, and it can be revoked"
    assert (await ada.delete(f"/api-keys/{listed[0]['id']}")).status_code == 204
    assert (await program.get("/devices")).status_code == 401


async def test_an_open_socket_ends_within_two_seconds(house: House, sql) -> None:
    _, organization, _ = await enter(house, "ada")
    ada, _ = await secured(house, "ada", organization)
    bob, _ = await join(house, sql, "bob", organization, "viewer")
    site = create_site(house.context, SUBSYSTEMS, BlobProxy(house.context.blobs))
    pages = [Page(site, (await client.post("/live/ticket")).json()["ticket"]) for client in (bob, ada)]
    running = [asyncio.create_task(page.run()) for page in pages]
    for page in pages:
        await asyncio.wait_for(page.accepted.wait(), 5)
    began = time.monotonic()
    await require(ada, organization)
    code, ended = await asyncio.wait_for(asyncio.shield(pages[0].closed), 5)
    assert code == 4401
    assert ended - began < 2.5
    await asyncio.sleep(1.2)
    assert not pages[1].closed.done(), "who has a second factor stays connected"
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
