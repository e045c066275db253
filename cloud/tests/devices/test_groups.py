"""Groups, what they say of their devices, and saved searches."""

from cloud.tests.conftest import Caller


async def test_a_fixed_group_has_members(client: Caller) -> None:
    http = client("owner")
    made = [
        (await http.post("/devices", json={"name": name})).json()["device_id"] for name in ("a", "b", "c")
    ]
    lab = (await http.post("/groups", json={"name": "Lab"})).json()
    attic = (await http.post("/groups", json={"name": "attic"})).json()
    assert (lab["kind"], lab["device_count"], lab["query"]) == ("fixed", 0, None)
    members = f"/groups/{lab['id']}/members"
    missing = "dev_" + "0" * 26
    added = await http.put(members, json={"device_ids": [made[0], made[1], missing]})
    assert added.json() == {"changed": 2}
    assert (await http.put(members, json={"device_ids": made[:1]})).json() == {"changed": 0}
    await http.put(f"/groups/{attic['id']}/members", json={"device_ids": made[:1]})

    listed = (await http.get(members)).json()
    assert [item["name"] for item in listed["items"]] == ["a", "b"] and listed["total"] == 2
    first, second, third = [(await http.get(f"/devices/{item}")).json() for item in made]
    assert (first["group"], first["groups"]) == ("Lab", ["Lab", "attic"])
    assert (second["group"], second["groups"]) == ("Lab", ["Lab"])
    assert "group" not in third and "groups" not in third
    for params in ({"group_id": lab["id"]}, {"q": "group = lab"}, {"q": f"group in ({lab['id']})"}):
        found = (await http.get("/devices", params=params)).json()
        assert [item["name"] for item in found["items"]] == ["a", "b"]
    tagged = await http.post("/devices/tags", json={"target": {"group": "LAB"}, "add": ["x"]})
    assert tagged.json() == {"matched": 2, "changed": 2}

    removed = await http.request("DELETE", members, json={"device_ids": made})
    assert removed.json() == {"changed": 2}
    assert (await http.delete(f"/groups/{lab['id']}")).status_code == 204
    gone = await http.post("/devices/tags", json={"target": {"group": "lab"}, "add": ["y"]})
    assert (gone.status_code, gone.json()["code"]) == (404, "group_not_found")


async def test_a_dynamic_group_is_asked_anew_each_time(client: Caller) -> None:
    http = client("owner")
    device = (await http.post("/devices", json={"name": "a", "tags": ["hot"]})).json()["device_id"]
    hot = (await http.post("/groups", json={"name": "hot ones", "query": "tag = hot"})).json()
    assert (hot["kind"], hot["device_count"]) == ("dynamic", 1)
    assert (await http.get(f"/devices/{device}")).json()["groups"] == ["hot ones"]
    assert "group" not in (await http.get(f"/devices/{device}")).json()
    assert (await http.get("/devices", params={"q": 'not group = "hot ones"'})).json()["items"] == []
    await http.put(f"/devices/{device}", json={"tags": []})
    assert (await http.get(f"/groups/{hot['id']}")).json()["device_count"] == 0

    path = f"/groups/{hot['id']}"
    assert (await http.put(f"{path}/members", json={"device_ids": [device]})).json()[
        "code"
    ] == "group_is_dynamic"
    for query, code in (
        ("tag =", "query_invalid"),
        ('group = "hot ones"', "group_in_group"),
        ("group = no", "query_invalid"),
    ):
        assert (await http.put(path, json={"query": query})).json()["code"] == code
    seen = await http.get(path)
    changed = await http.put(path, json={"query": "name = a"}, headers={"If-Match": seen.headers["etag"]})
    assert changed.json()["device_count"] == 1
    late = await http.put(path, json={"name": "x"}, headers={"If-Match": seen.headers["etag"]})
    assert late.json()["code"] == "version_conflict"
    taken = await http.post("/groups", json={"name": "HOT ones"})
    assert taken.json()["code"] == "group_name_taken"
    assert (await client("stranger").get(path)).json()["code"] == "group_not_found"
    assert (await client("stranger").get("/groups")).json()["items"] == []
    assert (await client("viewer").post("/groups", json={"name": "x"})).status_code == 403


async def test_a_place_is_kept_found_and_forgotten(client: Caller) -> None:
    http = client("owner")
    place = {"name": "Hall 2", "latitude": 48.1, "longitude": 11.5}
    made = (await http.post("/devices", json={"name": "a", "place": place})).json()
    assert made["place"] == place
    path = f"/devices/{made['device_id']}"
    assert (await http.put(path, json={"notes": "x"})).json()["place"] == place
    assert "place" not in (await http.put(path, json={"place": None})).json()
    half = await http.put(path, json={"place": {"latitude": 1}})
    assert half.status_code == 422


async def test_searches_are_kept_and_shared(client: Caller) -> None:
    http, viewer = client("owner"), client("viewer")
    body = {"name": "Hot", "q": "cpu > 80", "sort": "-last_seen", "columns": ["name", "cpu"]}
    made = (await http.post("/saved-searches", json=body)).json()
    assert {key: made[key] for key in body} == body and made["shared"] is False
    path = f"/saved-searches/{made['id']}"
    assert (await viewer.get(path)).json()["code"] == "search_not_found"
    assert (await http.put(path, json={**body, "shared": True})).json()["shared"] is True
    assert [item["name"] for item in (await viewer.get("/saved-searches")).json()["items"]] == ["Hot"]
    assert (await viewer.put(path, json=body)).status_code == 403
    assert (await viewer.delete(path)).status_code == 403
    assert (await client("stranger").get(path)).status_code == 404
    assert (await http.post("/saved-searches", json=body)).json()["code"] == "search_name_taken"
    wrong = await http.post("/saved-searches", json={"name": "x", "q": "cpu >"})
    assert wrong.json()["code"] == "query_invalid"
    assert (await http.delete(path)).status_code == 204


async def test_a_device_explains_itself(client: Caller) -> None:
    http = client("owner")
    device = (await http.post("/devices", json={"name": "a"})).json()["device_id"]
    said = (await http.get(f"/devices/{device}/explain")).json()
    found = {item["topic"]: item for item in said["findings"]}
    assert (found["connection"]["state"], found["connection"]["code"]) == ("problem", "never_connected")
    assert "edgeflow-agent doctor" in found["connection"]["detail"]
    assert (found["shadow"]["state"], found["shadow"]["code"]) == ("ok", "shadow_in_sync")
    await http.put(f"/devices/{device}/shadow", json={"desired": {"log_level": "debug"}})
    after = (await http.get(f"/devices/{device}/explain")).json()["findings"]
    waits = next(item for item in after if item["topic"] == "shadow")
    assert (waits["state"], waits["code"]) == ("waiting", "shadow_waits") and "log_level" in waits["detail"]
    assert (await client("stranger").get(f"/devices/{device}/explain")).status_code == 404
