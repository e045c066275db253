"""Tags of many devices at once."""

from cloud.tests.conftest import Caller


async def test_many_devices_are_tagged_at_once_after_a_dry_run(client: Caller) -> None:
    http = client("owner")
    made = [
        (await http.post("/devices", json={"name": name, "tags": tags})).json()["device_id"]
        for name, tags in (("a", ["old", "x"]), ("b", ["old"]), ("c", []))
    ]
    body = {"target": {"tags": ["old"]}, "add": ["new", "x"], "remove": ["old"]}
    dry = await http.post("/devices/tags", params={"dry_run": "true"}, json=body)
    assert dry.json() == {"matched": 2, "changed": 2}
    before = (await http.get(f"/devices/{made[0]}")).json()
    assert before["tags"] == ["old", "x"]

    assert (await http.post("/devices/tags", json=body)).json() == {"matched": 2, "changed": 2}
    found = [(await http.get(f"/devices/{device_id}")).json() for device_id in made]
    assert [item["tags"] for item in found] == [["x", "new"], ["new", "x"], []]
    assert found[0]["version"] == before["version"] + 1
    log = (await http.get("/audit", params={"resource_id": made[1], "action": "device.update"})).json()
    assert [(item["old_values"], item["new_values"]) for item in log["items"]] == [
        ({"tags": ["old"]}, {"tags": ["new", "x"]})
    ]

    again = await http.post("/devices/tags", json={"target": {"all": True}, "add": ["new"]})
    assert again.json() == {"matched": 3, "changed": 1}
    foreign = await client("stranger").post(
        "/devices/tags", json={"target": {"device_ids": made}, "add": ["mine"]}
    )
    assert foreign.json() == {"matched": 0, "changed": 0}


async def test_what_is_unclear_or_too_much_changes_nothing(client: Caller) -> None:
    http = client("owner")
    full = [f"t{number}" for number in range(50)]
    await http.post("/devices", json={"name": "full", "tags": full})
    await http.post("/devices", json={"name": "free"})
    everything = {"all": True}
    for body, code in (
        ({"target": everything, "add": ["a"], "remove": ["a"]}, "tags_contradict"),
        ({"target": everything, "add": ["a"]}, "too_many_tags"),
    ):
        assert (await http.post("/devices/tags", json=body)).json()["code"] == code
    for target in ({}, {"all": True, "tags": ["a"]}, {"everyone": True}):
        assert (await http.post("/devices/tags", json={"target": target, "add": ["a"]})).status_code == 422
    assert (await http.post("/devices/tags", json={"target": everything})).status_code == 422
    assert (await http.get("/devices", params={"tag": "a"})).json()["items"] == []
