"""A shadow's history over HTTP: who changed what, the document as it was, differences, and the way back."""

from datetime import timedelta
from typing import Any

import pytest

from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Registered, Running
from edgeflow_cloud import quotas
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.retention import run_retention
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.shadows.history.model import REPORTS_KEPT, SNAPSHOT_EVERY
from edgeflow_cloud.shadows.wiring import SUBSYSTEM


async def put(client: Caller, device: Registered, caller: str = "owner", **fields: Any) -> dict[str, Any]:
    half = "reported" if caller == "device" else "desired"
    answer = await client(caller).put(f"/devices/{device.wire_id}/shadow", json={half: fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_version_can_be_seen_again_as_it_was(client: Caller, device: Registered) -> None:
    path, seen = f"/devices/{device.wire_id}/shadow", []
    for step in range(SNAPSHOT_EVERY + 20):
        caller = "device" if step % 3 else "owner"
        seen.append(
            await put(
                client,
                device,
                caller,
                **{f"k{step % 7}": None if step % 5 == 0 else {"n": step, "list": [step, None, {"a": 1.0}]}},
                nested={"deep": {f"x{step % 2}": step}},
            )
        )
    http = client("viewer")
    for document in (*seen[:8], *seen[SNAPSHOT_EVERY - 4 : SNAPSHOT_EVERY + 4], seen[-1]):
        then = await http.get(f"{path}/history/{document['version']}")
        assert then.json() == document
    empty = (await http.get(f"{path}/history/0")).json()
    assert (empty["version"], empty["desired"], empty["reported"]) == (0, {}, {})


async def test_history_says_what_who_and_when_the_newest_first(
    client: Caller, device: Registered, owner: Principal
) -> None:
    path = f"/devices/{device.wire_id}/shadow/history"
    await put(client, device, log_level="debug", old=None)
    reported = await put(client, device, "device", log_level="debug", board="Pi\0")
    await put(client, device, big="x" * 40_000)
    page = (await client("viewer").get(path, params={"limit": 2})).json()
    assert [item["version"] for item in page["items"]] == [3, 2]
    big, said = page["items"]
    assert (big["patch"], big["truncated"]) == ({}, True) or big["patch"] == {"big": "x" * 40_000}
    assert said == {
        "version": 2,
        "changed": "reported",
        "at": reported["updated_at"],
        "by": {"kind": "device", "id": device.wire_id, "name": None},
        "patch": {"log_level": "debug", "board": "Pi"},
        "truncated": False,
    }
    rest = (await client("viewer").get(path, params={"cursor": page["next_cursor"]})).json()
    assert rest["next_cursor"] is None
    (first,) = rest["items"]
    assert (first["changed"], first["patch"]) == ("desired", {"log_level": "debug", "old": None})
    assert (first["by"]["kind"], first["by"]["id"]) == ("user", owner.wire_id)
    assert (await client("stranger").get(path)).status_code == 404
    for bad in ("x", "1e3"):
        assert (await client("owner").get(f"{path}/{bad}")).status_code == 422
    gone = await client("owner").get(f"{path}/99")
    assert (gone.status_code, gone.json()["code"]) == (404, "shadow_version_not_kept")
    assert gone.json()["current_version"] == 3


async def test_two_versions_are_compared(client: Caller, device: Registered) -> None:
    path = f"/devices/{device.wire_id}/shadow/diff"
    await put(client, device, a={"b": 1, "c.d": [1]}, gone=True)
    await put(client, device, "device", a={"b": 1})
    await put(client, device, a={"b": 2, "c.d": [1, 2]}, gone=None, new={})
    said = (await client("viewer").get(path, params={"from": 1, "to": 3})).json()
    assert (said["from"], said["to"]) == (1, 3)
    assert [(one["section"], one["path"], one["before"], one["after"]) for one in said["changes"]] == [
        ("desired", "a.b", 1, 2),
        ("desired", "a.c\\.d", [1], [1, 2]),
        ("desired", "gone", True, None),
        ("desired", "new", None, {}),
        ("reported", "a.b", None, 1),
    ]
    back = (await client("viewer").get(path, params={"from": 3, "to": 2})).json()["changes"]
    assert ("gone", None, True) in [(one["path"], one["before"], one["after"]) for one in back]
    last = (await client("viewer").get(path)).json()
    assert (last["from"], last["to"]) == (2, 3)
    assert (await client("viewer").get(path, params={"from": 3})).json()["changes"] == []
    assert (await client("viewer").get(path, params={"from": 9})).status_code == 404


async def test_an_earlier_desired_state_is_restored_and_pushed(
    client: Caller, device: Registered, hub: Running, context: Context
) -> None:
    path = f"/devices/{device.wire_id}/shadow/restore"
    await put(client, device, log_level="info", gpio={"pin_17": "output"})
    await put(client, device, "device", log_level="info")
    await put(client, device, log_level="debug", gpio={"pin_17": None, "pin_27": "input"}, extra=1)
    async with hub.client(device, capabilities=["shadow"], boot_id="b1") as socket:
        await socket.receive()
        answer = await client("owner").post(path, json={"version": 1})
        assert answer.status_code == 200, answer.text
        document = answer.json()
        assert (document["version"], answer.headers["etag"]) == (4, '"4"')
        assert document["desired"] == {"log_level": "info", "gpio": {"pin_17": "output"}}
        assert document["reported"] == {"log_level": "info"}
        assert (await socket.receive())["desired"] == document["desired"]
    newest = (await client("owner").get(f"/devices/{device.wire_id}/shadow/history")).json()["items"][0]
    assert newest["patch"] == {
        "log_level": "info",
        "gpio": {"pin_17": "output", "pin_27": None},
        "extra": None,
    }
    for body, headers, status in (
        ({"version": 99}, {}, 404),
        ({"version": 1}, {"If-Match": '"2"'}, 409),
        ({"version": -1}, {}, 422),
        ({}, {}, 422),
    ):
        assert (await client("owner").post(path, json=body, headers=headers)).status_code == status
    assert (await client("viewer").post(path, json={"version": 1})).status_code == 403
    assert (await client("stranger").post(path, json={"version": 1})).status_code == 404
    async with context.db.system_tx("test") as tx:
        audited = await tx.fetchrow("select * from audit_entries where action = 'shadow.restore'")
    assert audited is not None
    assert audited["new_values"]["restored"] == 1


async def test_a_deleted_shadow_goes_on_counting_and_can_be_taken_back(
    client: Caller, device: Registered, hub: Running
) -> None:
    path = f"/devices/{device.wire_id}/shadow"
    assert (await client("owner").delete(path)).status_code == 204
    assert (await client("owner").get(path)).json()["version"] == 0
    await put(client, device, a=1)
    await put(client, device, "device", b=2)
    assert (await client("viewer").delete(path)).status_code == 403
    assert (await client("owner").delete(path, headers={"If-Match": '"1"'})).status_code == 409
    async with hub.client(device, capabilities=["shadow"], boot_id="b1") as socket:
        await socket.receive()
        assert (await client("owner").delete(path)).status_code == 204
        told = await socket.receive()
        assert (told["type"], told["version"], told.get("desired", {})) == ("shadow_desired", 3, {})
    document = (await client("owner").get(path)).json()
    assert (document["version"], document["desired"], document["reported"]) == (3, {}, {})
    assert document["metadata"] == {"desired": {}, "reported": {}}
    before = (await client("owner").get(f"{path}/history/2")).json()
    assert (before["desired"], before["reported"]) == ({"a": 1}, {"b": 2})
    entry = (await client("owner").get(f"{path}/history")).json()["items"][0]
    assert (entry["changed"], entry["patch"]) == ("deleted", {})
    restored = (await client("owner").post(f"{path}/restore", json={"version": 2})).json()
    assert (restored["version"], restored["desired"], restored["reported"]) == (4, {"a": 1}, {})


async def test_chatter_of_the_device_is_bounded_and_takes_no_wish_along(
    client: Caller, device: Registered, context: Context
) -> None:
    path = f"/devices/{device.wire_id}/shadow"
    await put(client, device, wish="first")
    for number in range(3):
        await put(client, device, "device", n=number)
    await put(client, device, wish="second")
    async with context.db.system_tx("test") as tx:  # as if it had reported for days
        await tx.execute(
            "update shadows set version = $1", REPORTS_KEPT + SNAPSHOT_EVERY - 1 - REPORTS_KEPT % 64
        )
    await put(client, device, "device", n=9)
    kept = (await client("owner").get(f"{path}/history")).json()["items"]
    assert [item["version"] for item in kept][1:] == [5, 1]
    assert (await client("owner").get(f"{path}/history/1")).status_code == 404
    restored = await client("owner").post(f"{path}/restore", json={"version": 1})
    assert restored.json()["desired"] == {"wish": "first"}
    # What the device said then is not kept, but what was wanted at that time is known.
    at_report = await client("owner").post(f"{path}/restore", json={"version": 3})
    assert at_report.json()["desired"] == {"wish": "first"}


@pytest.mark.parametrize(("plan", "left"), [("free", [3]), ("starter", [3, 2]), ("enterprise", [3, 2, 1])])
async def test_history_is_kept_as_long_as_the_plan_says(
    client: Caller, device: Registered, context: Context, owner: Principal, plan: str, left: list[int]
) -> None:
    for number in range(3):
        await put(client, device, n=number)
    async with context.db.system_tx("test") as tx:
        await tx.execute(
            """
            insert into organizations (tenant_id, name, slug, created_at, updated_at)
            values ($1, 'Ours', 'ours', now(), now())
            """,
            owner.tenant_id,
        )
    async with context.db.tenant_tx(owner) as tx:
        await quotas.set_plan(tx, owner, plan, context.clock.now())
    async with context.db.system_tx("test") as tx:
        for version, days in ((1, 20), (2, 10)):
            await tx.execute(
                "update shadow_history set at = at - $2::interval where version = $1",
                version,
                timedelta(days=days),
            )
    await run_retention(context, SUBSYSTEM.retention)
    listed = (await client("owner").get(f"/devices/{device.wire_id}/shadow/history")).json()["items"]
    assert [item["version"] for item in listed] == left
