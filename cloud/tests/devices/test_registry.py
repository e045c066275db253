"""The registry over HTTP."""

from cloud.tests.conftest import Caller
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.principal import Principal


async def test_a_device_is_entered_seen_changed_and_removed(client: Caller) -> None:
    http = client("owner")
    made = await http.post("/devices", json={"name": "Press 7", "tags": ["line-3", "line-3", "hot"]})
    assert made.status_code == 201
    assert made.json()["api_key"].startswith("efk_")
    assert made.json()["tags"] == ["line-3", "hot"]
    path = f"/devices/{made.json()['device_id']}"

    seen = await http.get(path)
    assert seen.json()["status"] == "offline"
    assert "api_key" not in seen.json()

    changed = await http.put(path, json={"name": "Press 8"}, headers={"If-Match": seen.headers["etag"]})
    assert (changed.json()["name"], changed.json()["tags"]) == ("Press 8", ["line-3", "hot"])
    late = await http.put(path, json={"name": "Press 9"}, headers={"If-Match": seen.headers["etag"]})
    assert (late.status_code, late.json()["code"]) == (409, "version_conflict")

    assert (await http.delete(path)).status_code == 204
    assert (await http.get(path)).json()["code"] == "device_not_found"


async def test_another_organization_sees_nothing(client: Caller) -> None:
    made = (await client("owner").post("/devices", json={"name": "secret"})).json()
    other = client("stranger")
    path = f"/devices/{made['device_id']}"
    assert (await other.get(path)).status_code == 404
    assert (await other.put(path, json={"name": "mine"})).status_code == 404
    assert (await other.delete(path)).status_code == 404
    assert (await other.get("/devices")).json()["items"] == []
    missing = await other.get("/devices/dev_" + "0" * 26)
    foreign = await other.get(path)
    assert missing.json()["detail"] == foreign.json()["detail"]


async def test_a_list_is_paged_by_name_without_gap_or_repeat(client: Caller) -> None:
    http = client("owner")
    names = ["b", "A", "c", "a", "B", "d", "a"]
    for name in names:
        assert (await http.post("/devices", json={"name": name})).status_code == 201
    found: list[str] = []
    page = (await http.get("/devices", params={"limit": 3})).json()
    assert page["total"] == len(names)
    while True:
        found += [item["device_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        page = (await http.get("/devices", params={"limit": 3, "cursor": page["next_cursor"]})).json()
    assert len(found) == len(set(found)) == len(names)
    by_offset = (await http.get("/devices", params={"limit": 3, "offset": 3})).json()["items"]
    assert [item["device_id"] for item in by_offset] == found[3:6]


async def test_search_finds_parts_of_names_literally_and_whole_tags(client: Caller) -> None:
    http = client("owner")
    await http.post("/devices", json={"name": "50% press", "tags": ["hot"]})
    await http.post("/devices", json={"name": "50 x press"})
    for wanted, count in (("50%", 1), ("PRESS", 2), ("hot", 1), ("ho", 0)):
        assert (await http.get("/devices", params={"search": wanted})).json()["total"] == count


async def test_a_change_writes_its_audit_row_and_event_in_its_transaction(
    client: Caller, db: Database, owner: Principal
) -> None:
    made = (await client("owner").post("/devices", json={"name": "x"})).json()
    async with db.system_tx("test") as tx:
        entries = await tx.fetch("select action, resource_id, actor_id from audit_entries")
        events = await tx.fetch("select name from outbox")
    assert [tuple(row) for row in entries] == [("device.create", made["device_id"], owner.wire_id)]
    assert [row["name"] for row in events] == ["device.created"]


async def test_a_list_by_tags_holds_the_devices_that_have_all_of_them(client: Caller) -> None:
    http = client("owner")
    for name, tags in (("a", ["line-3", "hot"]), ("b", ["line-3"]), ("c", ["line-30"]), ("d", [])):
        assert (await http.post("/devices", json={"name": name, "tags": tags})).status_code == 201

    async def names(*tags: str) -> list[str]:
        page = (await http.get("/devices", params={"tag": list(tags)})).json()
        assert page["total"] == len(page["items"])
        return [item["name"] for item in page["items"]]

    assert await names() == ["a", "b", "c", "d"]
    assert await names("line-3") == ["a", "b"]
    assert await names("line-3", "hot") == ["a"]
    assert await names("hot", "line-30") == []
    assert (await client("stranger").get("/devices", params={"tag": "line-3"})).json()["items"] == []
    assert (await http.get("/devices", params={"tag": "two words"})).status_code == 422
