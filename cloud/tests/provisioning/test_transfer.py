"""A device goes from one organization to another."""

import asyncio

import asyncpg
import pytest

from cloud.tests.conftest import Caller
from edgeflow_cloud import devices
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.provisioning.routes import REFUSAL_SECONDS

BOX = {
    "hardware_info": {"board_model": "Raspberry Pi 4 Model B"},
    "network_info": {"hostname": "press-7", "mac_address": "DC:A6:32:00:00:01", "ip_address": "10.0.0.7"},
}


async def provision(client: Caller) -> tuple[str, dict[str, str]]:
    """The label's code, and what the box got for it."""
    code = (await client("owner").post("/provisioning-codes", json={"name": "Press"})).json()["items"][0][
        "code"
    ]
    return code, (await client("").post("/devices/provision", json={"provisioning_code": code, **BOX})).json()


async def is_good(db: Database, key: str) -> bool:
    async with db.lookup() as tx:
        return await devices.authenticate_key(tx, key) is not None


async def audited(database_url: str, tenant: Principal) -> list[str]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role edgeflow_system")
    rows = await connection.fetch(
        "select action from audit_entries where tenant_id = $1 order by id", tenant.tenant_id
    )
    await connection.close()
    return [row["action"] for row in rows]


async def test_by_the_label_and_nobody_opens_the_box(
    client: Caller, db: Database, database_url: str, owner: Principal, stranger: Principal
) -> None:
    code, had = await provision(client)
    refused = await client("stranger").post("/devices/claim", json={"code": code})
    assert (refused.status_code, refused.json()["code"]) == (404, "claim_refused")  # it is not released

    released = await client("owner").post(f"/devices/{had['device_id']}/unclaim")
    assert released.status_code == 200, released.text
    assert released.json() == {
        "device_id": had["device_id"],
        "hint": code[-4:],
        "code": None,
        "claimable_until": released.json()["claimable_until"],
    }
    assert not await is_good(db, had["api_key"])
    assert (await client("owner").get(f"/devices/{had['device_id']}")).status_code == 404
    shown = {"provisioning_code": code, **BOX}
    assert (await client("").post("/devices/provision", json=shown)).status_code == 403  # nobody's

    claimed = await client("stranger").post("/devices/claim", json={"code": code.lower(), "name": "Mine"})
    assert claimed.status_code == 201, claimed.text
    device_id = claimed.json()["device_id"]
    assert device_id != had["device_id"]
    device = (await client("stranger").get(f"/devices/{device_id}")).json()
    assert (device["name"], device["hardware"], device["network"]) == ("Mine", BOX["hardware_info"], {})
    assert (await client("owner").get(f"/devices/{device_id}")).status_code == 404
    assert await is_good(db, claimed.json()["api_key"])

    other = {**BOX, "network_info": {"mac_address": "DC:A6:32:00:00:02"}}
    assert (await client("").post("/devices/provision", json={**shown, **other})).status_code == 403
    own = await client("").post("/devices/provision", json=shown)  # the box itself starts, as it always did
    assert (own.status_code, own.json()["device_id"]) == (201, device_id)
    assert await is_good(db, own.json()["api_key"])
    assert not await is_good(db, claimed.json()["api_key"])
    assert "device.unclaim" in await audited(database_url, owner)
    assert "device.claim" in await audited(database_url, stranger)


async def test_a_device_without_a_code_gets_one(client: Caller, db: Database, database_url: str) -> None:
    made = (await client("owner").post("/devices", json={"name": "by hand", "notes": "ours"})).json()
    released = (await client("owner").post(f"/devices/{made['device_id']}/unclaim")).json()
    assert released["code"].startswith("PROV-")
    assert released["code"].endswith(released["hint"])
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role edgeflow_system")
    rows = await connection.fetch("select r::text as row from released_devices r")
    await connection.close()
    assert len(rows) == 1
    assert all(word not in rows[0]["row"] for word in ("by hand", "ours", released["code"][5:]))
    claims = await asyncio.gather(
        *(
            client(who).post("/devices/claim", json={"code": released["code"]})
            for who in ("stranger", "owner") * 3
        )
    )
    assert sorted(claim.status_code for claim in claims) == [201, 404, 404, 404, 404, 404]
    (won,) = [claim.json() for claim in claims if claim.status_code == 201]
    assert won["name"] == f"Device {released['hint']}"
    assert await is_good(db, won["api_key"])
    assert not await is_good(db, made["api_key"])


async def test_who_may_release_and_claim(client: Caller) -> None:
    made = (await client("owner").post("/devices", json={"name": "x"})).json()
    path = f"/devices/{made['device_id']}/unclaim"
    assert (await client("stranger").post(path)).status_code == 404
    assert (await client("viewer").post(path)).status_code == 403
    assert (await client("").post(path)).status_code == 401
    assert (await client("viewer").post("/devices/claim", json={"code": "x"})).status_code == 403
    assert (await client("owner").get(f"/devices/{made['device_id']}")).status_code == 200


async def test_a_claim_that_fails_leaves_the_device_to_be_claimed(client: Caller) -> None:
    code, had = await provision(client)
    await client("owner").post(f"/devices/{had['device_id']}/unclaim")
    nowhere = {"code": code, "project_id": ids.encode(ids.PROJECT, ids.new())}
    answer = await client("stranger").post("/devices/claim", json=nowhere)
    assert (answer.status_code, answer.json()["code"]) == (404, "project_not_found")
    assert (await client("stranger").post("/devices/claim", json={"code": code})).status_code == 201


async def test_guesses_are_refused_alike_and_counted_with_those_of_devices(client: Caller) -> None:
    code, _ = await provision(client)
    said: set[str] = set()
    for shown in (code, "PROV-0000-0000", "nonsense"):
        started = asyncio.get_running_loop().time()
        answer = await client("stranger").post("/devices/claim", json={"code": shown})
        assert asyncio.get_running_loop().time() - started >= REFUSAL_SECONDS
        document = answer.json()
        document.pop("request_id")
        said.add(str(document))
    assert len(said) == 1
    for _ in range(7):
        await client("").post("/devices/provision", json={"provisioning_code": "PROV-0000-0000"})
    late = await client("stranger").post("/devices/claim", json={"code": "PROV-0000-0000"})
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) >= 1


@pytest.mark.parametrize("late", [False, True])
async def test_a_release_ends(client: Caller, database_url: str, late: bool) -> None:
    code, had = await provision(client)
    await client("owner").post(f"/devices/{had['device_id']}/unclaim")
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role edgeflow_system")
    await connection.execute(
        "update released_devices set expires_at = now() + $1 * interval '1 second'", -1 if late else 60
    )
    await connection.close()
    answer = await client("stranger").post("/devices/claim", json={"code": code})
    assert answer.status_code == (404 if late else 201)
