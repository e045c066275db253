"""Codes and claims over HTTP, on the real database."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from cloud.tests.conftest import Caller
from edgeflow_cloud import devices
from edgeflow_cloud.devices import Arrival
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.provisioning.routes import REFUSAL_SECONDS, REFUSALS

HARDWARE = {"os": "linux", "arch": "arm64", "board_model": "Raspberry Pi 4 Model B\0", "serial": "kept"}
NETWORK = {"hostname": "press-7", "mac_address": "DC:A6:32:00:00:01", "ip_address": "10.0.0.7"}
OTHER = {**NETWORK, "mac_address": "DC:A6:32:00:00:02"}


def claim(code: str, network: dict[str, str] = NETWORK) -> dict[str, object]:
    return {"provisioning_code": code, "hardware_info": HARDWARE, "network_info": network}


async def make_code(client: Caller, **body: object) -> dict[str, str]:
    made = await client("owner").post("/provisioning-codes", json=body)
    assert made.status_code == 201, made.text
    return made.json()["items"][0]


async def test_a_code_makes_a_device(client: Caller, db: Database, owner: Principal) -> None:
    code = await make_code(client, name="Press 7", tags=["line-3"])
    assert code["code"].endswith(code["hint"])
    assert code["status"] == "unused"

    answer = await client("").post("/devices/provision", json={**claim(code["code"]), "later": "ignored"})
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"device_id", "api_key"}
    device = (await client("owner").get(f"/devices/{answer.json()['device_id']}")).json()
    assert (device["name"], device["tags"]) == ("Press 7", ["line-3"])
    assert device["hardware"] == {**HARDWARE, "board_model": "Raspberry Pi 4 Model B"}
    assert device["network"]["hostname"] == "press-7"

    seen = (await client("owner").get(f"/provisioning-codes/{code['id']}")).json()
    assert (seen["status"], seen["device_id"]) == ("used", device["device_id"])
    assert "code" not in seen
    async with db.lookup() as tx:
        found = await devices.authenticate_key(tx, answer.json()["api_key"])
    assert found == (owner.tenant_id, ids.decode(ids.DEVICE, device["device_id"]))


async def test_the_code_itself_is_nowhere_in_the_database(client: Caller, database_url: str) -> None:
    code = await make_code(client)
    plain = code["code"].removeprefix("PROV-")
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role edgeflow_system")
    for table in ("provisioning_codes", "audit_entries", "outbox", "idempotency_keys"):
        rows = await connection.fetch(f"select t::text as row from {table} t")
        assert all(plain not in row["row"] and plain.replace("-", "") not in row["row"] for row in rows), (
            table
        )
    await connection.close()


async def test_twenty_at_once_make_one_device(client: Caller) -> None:
    code = await make_code(client)
    answers = await asyncio.gather(
        *(
            client("").post(
                "/devices/provision",
                json=claim(code["code"], {**NETWORK, "mac_address": f"DC:A6:32:00:00:{number:02X}"}),
            )
            for number in range(1, 21)
        )
    )
    assert sorted(answer.status_code for answer in answers) in (
        [201] + [403] * 10 + [429] * 9,
        [201] + [403] * 19,
    )
    assert (await client("owner").get("/devices")).json()["total"] == 1


async def test_the_same_hardware_twenty_times_at_once_is_one_device(client: Caller, db: Database) -> None:
    code = await make_code(client)
    answers = await asyncio.gather(
        *(client("").post("/devices/provision", json=claim(code["code"])) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["device_id"] for answer in answers}) == 1
    alive = 0
    for answer in answers:
        async with db.lookup() as tx:
            alive += await devices.authenticate_key(tx, answer.json()["api_key"]) is not None
    assert alive == 1


async def test_a_device_that_forgot_its_key_claims_itself_again(client: Caller, database_url: str) -> None:
    code = await make_code(client)
    first = (await client("").post("/devices/provision", json=claim(code["code"]))).json()
    again = await client("").post("/devices/provision", json=claim(code["code"].lower()))
    assert again.status_code == 201
    assert again.json()["device_id"] == first["device_id"]
    assert again.json()["api_key"] != first["api_key"]
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role edgeflow_system")
    actions = await connection.fetch("select action from audit_entries order by id")
    events = await connection.fetch("select name, changed from outbox order by id")
    await connection.close()
    assert [row["action"] for row in actions][-3:] == [
        "device.provision",
        "device.key_rotate",
        "device.reclaim",
    ]
    names = {row["name"]: row["changed"] for row in events}
    assert f"devices/{first['device_id']}" in names["device.provisioned"]
    assert f"provisioning-codes/{code['id']}" in names["device.reclaimed"]


async def test_the_window_closes_a_day_after_capabilities(
    client: Caller, db: Database, owner: Principal
) -> None:
    code = await make_code(client, reclaim_hours=0)
    first = (await client("").post("/devices/provision", json=claim(code["code"]))).json()
    device_id = DeviceId(ids.decode(ids.DEVICE, first["device_id"]))
    for negotiated, status in ((False, 201), (True, 403)):
        arrival = Arrival(owner.tenant_id, device_id, negotiated=negotiated)
        async with db.system_tx("test") as tx:
            await devices.presence.connect_many(tx, [arrival], "hub", datetime.now(UTC))
        assert (await client("").post("/devices/provision", json=claim(code["code"]))).status_code == status


async def test_every_refusal_is_the_same_in_words_and_time(
    client: Caller, db: Database, owner: Principal
) -> None:
    used = await make_code(client)
    assert (await client("").post("/devices/provision", json=claim(used["code"]))).status_code == 201
    expired = await make_code(client)
    revoked = await make_code(client)
    assert (await client("owner").delete(f"/provisioning-codes/{revoked['id']}")).status_code == 204
    async with db.tenant_tx(owner) as tx:
        await tx.execute(
            "update provisioning_codes set expires_at = now() where id = $1",
            ids.decode(ids.PROVISIONING_CODE, expired["id"]),
        )
    said: set[str] = set()
    for shown in (used["code"], expired["code"], revoked["code"], "PROV-0000-0000", "nonsense", "\0"):
        started = time.monotonic()
        answer = await client("").post("/devices/provision", json=claim(shown, OTHER))
        assert REFUSAL_SECONDS <= time.monotonic() - started < REFUSAL_SECONDS + 1.0
        assert answer.status_code == 403
        document = answer.json()
        document.pop("request_id")
        said.add(str(document))
    assert len(said) == 1
    assert (await client("owner").get("/provisioning-codes", params={"status": "expired"})).json()[
        "total"
    ] == 1


async def test_guessing_is_limited_by_address_but_a_line_of_devices_is_not(client: Caller) -> None:
    codes = (await client("owner").post("/provisioning-codes", json={"count": 15, "name": "Press"})).json()[
        "items"
    ]
    assert [code["name"] for code in codes] == [f"Press {number}" for number in range(1, 16)]
    for number, code in enumerate(codes):
        network = {**NETWORK, "mac_address": f"DC:A6:32:00:01:{number:02X}"}
        assert (
            await client("").post("/devices/provision", json=claim(code["code"], network))
        ).status_code == 201
    answers = await asyncio.gather(
        *(
            client("").post("/devices/provision", json=claim("PROV-0000-0000"))
            for _ in range(REFUSALS.count + 5)
        )
    )
    assert sum(answer.status_code == 429 for answer in answers) >= 5
    # Who has used up his guesses is not told of a right one, either.
    right = await make_code(client)
    for shown in ("PROV-0000-0000", right["code"]):
        late = await client("").post("/devices/provision", json=claim(shown))
        assert late.status_code == 429
        assert int(late.headers["retry-after"]) >= 1


async def test_who_may_make_and_see_codes(client: Caller) -> None:
    code = await make_code(client)
    path = f"/provisioning-codes/{code['id']}"
    assert (await client("viewer").post("/provisioning-codes", json={})).status_code == 403
    assert (await client("viewer").get("/provisioning-codes")).status_code == 403
    assert (await client("").get("/provisioning-codes")).status_code == 401
    assert (await client("stranger").get(path)).status_code == 404
    assert (await client("stranger").delete(path)).status_code == 404
    assert (await client("stranger").get("/provisioning-codes")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"expires_in": 59}, "expires_in"),
        ({"expires_in": 90 * 86_400 + 1}, "expires_in"),
        ({"count": 0}, "count"),
        ({"count": 1001}, "count"),
        ({"tags": ["a b"]}, "tags.0"),
        ({"names": "x"}, "names"),
    ],
)
async def test_unacceptable_codes_are_refused_by_name(
    client: Caller, body: dict[str, object], field: str
) -> None:
    answer = await client("owner").post("/provisioning-codes", json=body)
    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == [field]


async def test_a_field_client_with_next_to_nothing_is_let_in(client: Caller) -> None:
    code = await make_code(client)
    body = {"provisioning_code": code["code"], "hardware_info": None, "network_info": None}
    made = await client("").post("/devices/provision", json=body)
    assert made.status_code == 201
    device = (await client("owner").get(f"/devices/{made.json()['device_id']}")).json()
    assert device["name"] == f"Device {code['hint']}"
    assert (await client("").post("/devices/provision", json=body)).status_code == 403


async def test_texts_that_no_database_holds_are_mended(client: Caller) -> None:
    code = await make_code(client)
    body = (
        f'{{"provisioning_code": "{code["code"]}\\u0000",'
        '"network_info": {"mac_address": "aa:bb\\ud800\\u0000"},'
        '"hardware_info": {"board_model": "Pi\\ud800\\u0000", "n": 1e400, "deep": {"x": ["\\u0000"]}}}'
    )
    made = await client("").post(
        "/devices/provision", content=body, headers={"content-type": "application/json"}
    )
    assert made.status_code == 201, made.text
    device = (await client("owner").get(f"/devices/{made.json()['device_id']}")).json()
    assert device["hardware"] == {"board_model": "Pi?", "n": None, "deep": {"x": [""]}}


async def test_a_deleted_device_takes_its_code_along(client: Caller) -> None:
    code = await make_code(client)
    made = (await client("").post("/devices/provision", json=claim(code["code"]))).json()
    assert (await client("owner").delete(f"/devices/{made['device_id']}")).status_code == 204
    assert (await client("").post("/devices/provision", json=claim(code["code"]))).status_code == 403
    assert (await client("owner").get(f"/provisioning-codes/{code['id']}")).status_code == 404


async def test_codes_are_listed_newest_first_in_pages(client: Caller) -> None:
    made = [await make_code(client, name=f"n{number}") for number in range(5)]
    page = (await client("owner").get("/provisioning-codes", params={"limit": 2})).json()
    assert page["total"] == 5
    names = [item["name"] for item in page["items"]]
    while page["next_cursor"]:
        page = (
            await client("owner").get(
                "/provisioning-codes", params={"limit": 2, "cursor": page["next_cursor"]}
            )
        ).json()
        names += [item["name"] for item in page["items"]]
    assert names == [item["name"] for item in reversed(made)]


async def test_explain_says_whether_the_code_may_be_shown_again_and_that_a_device_never_came(
    client: Caller, db: Database, owner: Principal
) -> None:
    async def explained(device_id: str) -> dict[str, dict[str, str]]:
        said = (await client("owner").get(f"/devices/{device_id}/explain")).json()
        return {item["code"]: item for item in said["findings"] if item["topic"] == "provisioning"}

    by_hand = (await client("owner").post("/devices", json={"name": "by hand"})).json()
    assert await explained(by_hand["device_id"]) == {}

    code = await make_code(client, reclaim_hours=2)
    wire = (await client("").post("/devices/provision", json=claim(code["code"]))).json()["device_id"]
    before = await explained(wire)
    assert set(before) == {"provisioned_never_connected", "reclaim_window_open"}
    assert before["provisioned_never_connected"]["state"] == "problem"
    assert code["hint"] in before["provisioned_never_connected"]["detail"]
    assert "no end" in before["reclaim_window_open"]["detail"]

    for hours, shown in ((1, {"reclaim_window_open"}), (3, set[str]())):
        at = datetime.now(UTC) - timedelta(hours=hours)
        device_id = DeviceId(ids.decode(ids.DEVICE, wire))
        async with db.system_tx("test") as tx:
            await tx.execute(
                "update device_presence set negotiated_at = null where device_id = $1", device_id
            )
            arrival = Arrival(owner.tenant_id, device_id, negotiated=True)
            await devices.presence.connect_many(tx, [arrival], "hub", at)
        after = await explained(wire)
        assert set(after) == shown
        if shown:
            ends = f"{at + timedelta(hours=2):%Y-%m-%d %H:%M:%S} UTC"
            assert ends in after["reclaim_window_open"]["detail"]

    nameless = await make_code(client)
    bare = {"provisioning_code": nameless["code"], "hardware_info": HARDWARE}
    lost = (await client("").post("/devices/provision", json=bare)).json()["device_id"]
    (only,) = (await explained(lost)).values()
    assert only["code"] == "provisioned_never_connected"
    assert "make a new code" in only["detail"]
