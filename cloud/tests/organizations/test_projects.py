"""Projects over HTTP, and devices in them."""

from cloud.tests.auth.conftest import House, actions
from cloud.tests.organizations.test_organizations import enter


async def test_a_project_and_its_devices(house: House, sql) -> None:
    ada, _, _ = await enter(house, "ada")
    made = await ada.post("/projects", json={"name": "Line 3", "description": "Presses"})
    assert made.status_code == 201, made.text
    project = made.json()["id"]
    inside = (await ada.post("/devices", json={"name": "a", "project_id": project})).json()
    outside = (await ada.post("/devices", json={"name": "b"})).json()
    assert (inside["project_id"], outside["project_id"]) == (project, None)
    found = (await ada.get("/devices", params={"project_id": project})).json()
    assert [item["name"] for item in found["items"]] == ["a"] and found["total"] == 1
    path = f"/devices/{outside['device_id']}"
    assert (await ada.put(path, json={"project_id": project})).json()["project_id"] == project
    assert (await ada.put(path, json={"name": "c"})).json()["project_id"] == project
    assert (await ada.put(path, json={"project_id": None})).json()["project_id"] is None
    assert (await ada.delete(f"/projects/{project}")).status_code == 204
    assert (await ada.get(f"/devices/{inside['device_id']}")).json()["project_id"] is None
    assert (await ada.get(f"/projects/{project}")).json()["code"] == "project_not_found"
    assert {"project.create", "project.delete"} <= set(await actions(sql))


async def test_changes_and_refusals(house: House, sql) -> None:
    ada, _, _ = await enter(house, "ada")
    bob, _, _ = await enter(house, "bob")
    first = (await ada.post("/projects", json={"name": "One"})).json()
    await ada.post("/projects", json={"name": "Two"})
    path = f"/projects/{first['id']}"
    taken = await ada.put(path, json={"name": "TWO"})
    assert (taken.status_code, taken.json()["code"]) == (409, "project_name_taken")
    assert (await ada.post("/projects", json={"name": "one"})).json()["code"] == "project_name_taken"
    changed = await ada.put(path, json={"description": "x"}, headers={"if-match": '"1"'})
    assert (changed.json()["name"], changed.headers["etag"]) == ("One", '"2"')
    stale = await ada.put(path, json={"name": "Z"}, headers={"if-match": '"1"'})
    assert stale.json()["code"] == "version_conflict"
    page = (await ada.get("/projects", params={"limit": 1})).json()
    rest = (await ada.get("/projects", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert [item["name"] for item in page["items"] + rest["items"]] == ["One", "Two"]
    for answer in (await bob.get(path), await bob.put(path, json={"name": "X"}), await bob.delete(path)):
        assert (answer.status_code, answer.json()["code"]) == (404, "project_not_found")
    foreign = await bob.post("/devices", json={"name": "d", "project_id": first["id"]})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "project_not_found")
