"""The shadow over HTTP, as people and as the device."""

import asyncio
import random
from typing import Any

import pytest

from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Registered
from edgeflow_cloud.infra.context import Context


async def test_people_set_desired_and_the_device_reported(client: Caller, device: Registered) -> None:
    path = f"/devices/{device.wire_id}/shadow"
    empty = (await client("owner").get(path)).json()
    assert empty["version"] == 0
    assert empty["desired"] == empty["reported"] == empty["delta"] == {}

    wanted = await client("owner").put(
        path, json={"desired": {"log_level": "debug", "gpio_config": {"pin_17": "output"}}}
    )
    assert wanted.status_code == 200, wanted.text
    assert wanted.headers["etag"] == '"1"'
    said = await client("device").put(
        path, json={"reported": {"log_level": "debug", "online": True, "board": "Pi\0"}, "later": 1}
    )
    assert said.status_code == 200
    document = said.json()
    assert set(document) == {
        "device_id", "version", "desired", "reported", "delta", "metadata", "updated_at"
    }  # fmt: skip
    assert document["device_id"] == device.wire_id
    assert document["version"] == 2
    assert document["delta"] == {"gpio_config": {"pin_17": "output"}}
    assert document["reported"]["board"] == "Pi"
    assert set(document["metadata"]["desired"]) == {"log_level", "gpio_config.pin_17"}
    assert all(stamp.endswith("Z") for stamp in document["metadata"]["reported"].values())
    assert (await client("device").get(path)).json() == document


async def test_null_deletes_arrays_are_whole_and_an_update_that_changes_nothing_counts(
    client: Caller, device: Registered
) -> None:
    path, http = f"/devices/{device.wire_id}/shadow", client("owner")
    await http.put(path, json={"desired": {"a": {"b": 1, "c": [1, 2]}, "d": 1}})
    changed = (await http.put(path, json={"desired": {"a": {"c": [3], "b": None}, "d": None}})).json()
    assert changed["desired"] == {"a": {"c": [3]}}
    same = (await http.put(path, json={"desired": {"a": {"c": [3]}}})).json()
    assert (same["version"], same["desired"]) == (3, changed["desired"])


@pytest.mark.parametrize(
    ("caller", "body", "status", "code"),
    [
        ("owner", {"reported": {}}, 403, "wrong_side"),
        ("owner", {"desired": {}, "reported": {}}, 403, "wrong_side"),
        ("owner", {}, 422, "desired_missing"),
        ("owner", {"desired": None}, 422, "desired_missing"),
        ("owner", {"desired": {}, "wished": 1}, 422, "invalid_input"),
        ("owner", {"desired": [1]}, 422, "invalid_input"),
        ("owner", {"desired": {}, "version": -1}, 422, "invalid_input"),
        ("owner", {"desired": {"a": "x" * 70_000}}, 413, "document_too_large"),
        ("owner", {"desired": {"a\0": 1}}, 422, None),
        ("device", {"desired": {}}, 403, "wrong_side"),
        ("device", {}, 422, "reported_missing"),
        ("viewer", {"desired": {}}, 403, "permission_denied"),
        ("stranger", {"desired": {}}, 404, "device_not_found"),
        ("", {"desired": {}}, 401, "unauthenticated"),
    ],
)
async def test_what_is_refused_changes_nothing(
    client: Caller, device: Registered, caller: str, body: dict[str, Any], status: int, code: str | None
) -> None:
    path = f"/devices/{device.wire_id}/shadow"
    await client("owner").put(path, json={"desired": {"kept": True}})
    answer = await client(caller).put(path, json=body)
    assert answer.status_code == status, answer.text
    assert code in (None, answer.json()["code"])
    after = (await client("viewer").get(path)).json()
    assert (after["version"], after["desired"]) == (1, {"kept": True})


async def test_numbers_that_are_none_are_refused(client: Caller, device: Registered) -> None:
    path = f"/devices/{device.wire_id}/shadow"
    for text in ("NaN", "Infinity", "1e400"):
        answer = await client("owner").put(
            path,
            content=f'{{"desired": {{"a": {text}}}}}',
            headers={"content-type": "application/json"},
        )
        assert answer.status_code in (400, 422), text
    assert (await client("owner").get(path)).json()["version"] == 0


async def test_a_change_that_is_based_on_an_old_version_changes_nothing(
    client: Caller, device: Registered
) -> None:
    path, http = f"/devices/{device.wire_id}/shadow", client("owner")
    seen = await http.put(path, json={"desired": {"a": 1}})
    assert (await http.put(path, json={"desired": {"a": 2}, "version": 1})).status_code == 200
    by_header = await http.put(path, json={"desired": {"a": 3}}, headers={"If-Match": seen.headers["etag"]})
    by_body = await http.put(path, json={"desired": {"a": 3}, "version": 1})
    contradictory = await http.put(
        path, json={"desired": {"a": 3}, "version": 2}, headers={"If-Match": '"1"'}
    )
    for refused in (by_header, by_body, contradictory):
        assert (refused.status_code, refused.json()["code"]) == (409, "version_conflict")
    assert by_header.json()["current_version"] == 2
    assert (await http.get(path)).json()["desired"] == {"a": 2}


async def test_a_device_sees_only_itself(client: Caller, device: Registered) -> None:
    other = (await client("owner").post("/devices", json={"name": "other"})).json()["device_id"]
    assert (await client("device").get(f"/devices/{other}/shadow")).status_code == 404
    assert (await client("device").get(f"/devices/{device.wire_id}")).status_code == 403


async def test_eight_writers_make_versions_without_gap(
    client: Caller, context: Context, device: Registered
) -> None:
    path, each = f"/devices/{device.wire_id}/shadow", 12
    accepted: list[int] = []
    conflicts = 0

    async def write(number: int) -> None:
        nonlocal conflicts
        http = client("owner" if number % 2 else "device")
        half = "desired" if number % 2 else "reported"
        dice = random.Random(number)
        for step in range(each):
            body: dict[str, Any] = {half: {f"w{number}": step}}
            if dice.random() < 0.5:
                body["version"] = (await http.get(path)).json()["version"]
            answer = await http.put(path, json=body)
            if answer.status_code == 200:
                accepted.append(answer.json()["version"])
            else:
                assert answer.status_code == 409, answer.text
                conflicts += 1

    await asyncio.gather(*(write(number) for number in range(8)))
    assert sorted(accepted) == list(range(1, len(accepted) + 1))
    assert len(accepted) + conflicts == 8 * each
    assert (await client("owner").get(path)).json()["version"] == len(accepted)
    async with context.db.system_tx("test") as tx:
        told = await tx.fetch(
            "select (payload->>'shadow_version')::int as version from outbox where name = 'shadow.updated'"
        )
    assert sorted(row["version"] for row in told) == sorted(accepted)


async def test_of_writers_with_one_version_one_wins(client: Caller, device: Registered) -> None:
    path = f"/devices/{device.wire_id}/shadow"
    answers = await asyncio.gather(
        *(
            client("owner").put(path, json={"desired": {"winner": number}, "version": 0})
            for number in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    winner = next(answer.json()["desired"] for answer in answers if answer.status_code == 200)
    document = (await client("owner").get(path)).json()
    assert (document["version"], document["desired"]) == (1, winner)


async def test_who_changed_desired_is_audited(client: Caller, context: Context, device: Registered) -> None:
    path = f"/devices/{device.wire_id}/shadow"
    await client("owner").put(path, json={"desired": {"a": 1}})
    await client("owner").put(path, json={"desired": {"big": "x" * 20_000}})
    await client("device").put(path, json={"reported": {"a": 1}})
    async with context.db.system_tx("test") as tx:
        rows = await tx.fetch("select * from audit_entries where action = 'shadow.update' order by id")
    assert [row["new_values"] for row in rows] == [
        {"version": 1, "desired": {"a": 1}},
        {"version": 2, "desired": {"keys": ["big"]}},
    ]
    assert rows[0]["resource_id"] == device.wire_id
