"""Keys of devices over HTTP, and what becomes of tunnels that they opened."""

import time

import asyncpg
import pytest

from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Registered, Running, hub, running
from edgeflow_cloud import devices
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.outbox import Announced
from edgeflow_cloud.infra.retention import run_retention
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal

__all__ = ["hub"]


async def make(client: Caller) -> Registered:
    made = (await client("owner").post("/devices", json={"name": "press"})).json()
    return Registered(DeviceId(ids.decode(ids.DEVICE, made["device_id"])), made["api_key"])


async def is_good(db: Database, key: str) -> bool:
    async with db.lookup() as tx:
        return await devices.authenticate_key(tx, key) is not None


async def react(context: Context, tenant: Principal, name: str, device: Registered) -> None:
    """What the relay and a worker do with the event."""
    announced = Announced(
        event_id=ids.new(),
        tenant_id=tenant.tenant_id,
        name=name,
        version=1,
        occurred_at=context.clock.now(),
        payload={"device_id": str(device.device_id)},
    )
    for subsystem in SUBSYSTEMS:
        for reaction in subsystem.reactions:
            if reaction.event == name:
                await reaction.job.handler(context, announced.to_payload())


async def test_both_keys_are_good_in_the_overlap_and_the_old_one_ends_to_the_second(
    client: Caller, db: Database, context: Context, owner: Principal
) -> None:
    device = await make(client)
    async with running(context) as hub, hub.client(device) as old:
        answer = await client("owner").post(
            f"/devices/{device.wire_id}/rotate-key", json={"overlap_seconds": 4}
        )
        began = time.monotonic()
        assert answer.status_code == 201, answer.text
        key = answer.json()["api_key"]
        assert await is_good(db, device.key)
        assert await is_good(db, key)
        await react(context, owner, "device.key_rotated", device)
        await old.send(type="ping")
        assert (await old.receive())["type"] == "pong"  # who is in stays in
        kept = (await client("owner").get(f"/devices/{device.wire_id}/keys")).json()["items"]
        assert [item["prefix"] for item in kept] == [key[:12], device.key[:12]]
        assert kept[0]["expires_at"] is None
        assert kept[1]["expires_at"][:19] == answer.json()["old_key_valid_until"][:19]
        assert await old.closed() == 4401
        assert 3.5 < time.monotonic() - began < 6.0  # not a beat later
        assert not await is_good(db, device.key)
        async with hub.client(Registered(device.device_id, key)):
            pass
    kept = (await client("owner").get(f"/devices/{device.wire_id}/keys")).json()["items"]
    assert [item["prefix"] for item in kept] == [key[:12]]


async def test_a_revoked_key_has_no_effect_and_its_tunnel_ends(
    client: Caller, db: Database, context: Context, owner: Principal, hub: Running, database_url: str
) -> None:
    device = await make(client)
    path = f"/devices/{device.wire_id}/keys"
    new = (await client("owner").post(f"/devices/{device.wire_id}/rotate-key", json={})).json()["api_key"]
    keys = {item["prefix"]: item["key_id"] for item in (await client("owner").get(path)).json()["items"]}
    async with hub.client(device) as old:
        assert (await client("owner").delete(f"{path}/{keys[device.key[:12]]}")).status_code == 204
        assert not await is_good(db, device.key)
        assert await is_good(db, new)
        await react(context, owner, "device.key_revoked", device)
        assert await old.closed() == 4401
    async with hub.client(Registered(device.device_id, new)):
        again = await client("owner").delete(f"{path}/{keys[device.key[:12]]}")
        assert (again.status_code, again.json()["code"]) == (404, "device_key_not_found")
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role edgeflow_system")
    actions = [
        row["action"] for row in await connection.fetch("select action from audit_entries order by id")
    ]
    names = [row["name"] for row in await connection.fetch("select name from outbox order by id")]
    await connection.close()
    assert actions[-2:] == ["device.key_rotate", "device.key_revoke"]
    assert "device.key_revoked" in names


async def test_a_leaked_key_is_dead_at_once(client: Caller, db: Database) -> None:
    device = await make(client)
    await client("owner").post(f"/devices/{device.wire_id}/rotate-key", json={"overlap_seconds": 0})
    assert not await is_good(db, device.key)


async def test_a_second_rotation_does_not_lengthen_the_life_of_the_first_key(client: Caller) -> None:
    device = await make(client)
    path = f"/devices/{device.wire_id}"
    first = (await client("owner").post(f"{path}/rotate-key", json={"overlap_seconds": 60})).json()
    await client("owner").post(f"{path}/rotate-key", json={"overlap_seconds": 3600})
    kept = (await client("owner").get(f"{path}/keys")).json()["items"]
    assert len(kept) == 3
    assert kept[2]["expires_at"][:19] == first["old_key_valid_until"][:19]


@pytest.mark.parametrize("seconds", [-1, 30 * 86_400 + 1])
async def test_an_overlap_has_bounds(client: Caller, seconds: int) -> None:
    device = await make(client)
    answer = await client("owner").post(
        f"/devices/{device.wire_id}/rotate-key", json={"overlap_seconds": seconds}
    )
    assert answer.status_code == 422


async def test_who_may(client: Caller) -> None:
    device = await make(client)
    path = f"/devices/{device.wire_id}"
    key_id = (await client("owner").get(f"{path}/keys")).json()["items"][0]["key_id"]
    for who, status in (("viewer", 403), ("stranger", 404), ("", 401)):
        assert (await client(who).post(f"{path}/rotate-key", json={})).status_code == status
        assert (await client(who).get(f"{path}/keys")).status_code == status
        assert (await client(who).delete(f"{path}/keys/{key_id}")).status_code == status
    other = await make(client)  # a key is one device's: under another's path there is none
    assert (await client("owner").delete(f"/devices/{other.wire_id}/keys/{key_id}")).status_code == 404


async def test_dead_keys_do_not_pile_up(client: Caller, context: Context, database_url: str) -> None:
    device = await make(client)
    for _ in range(3):
        await client("owner").post(f"/devices/{device.wire_id}/rotate-key", json={"overlap_seconds": 0})
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role edgeflow_system")
    await connection.execute("update device_keys set expires_at = expires_at - interval '31 days'")
    await run_retention(context, [entry for one in SUBSYSTEMS for entry in one.retention])
    assert await connection.fetchval("select count(*) from device_keys") == 1
    await connection.close()


async def test_explain_says_that_an_old_key_is_still_good_and_that_none_is(client: Caller) -> None:
    http = client("owner")
    device = await make(client)
    path = f"/devices/{device.wire_id}"

    async def codes() -> set[str]:
        return {item["code"] for item in (await http.get(f"{path}/explain")).json()["findings"]}

    assert not {"device_key_overlap", "no_device_key"} & await codes()
    await http.post(f"{path}/rotate-key", json={"overlap_seconds": 3600})
    assert "device_key_overlap" in await codes()
    for key in (await http.get(f"{path}/keys")).json()["items"]:
        await http.delete(f"{path}/keys/{key['key_id']}")
    assert "no_device_key" in await codes()
