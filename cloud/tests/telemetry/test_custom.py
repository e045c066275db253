"""Values that devices name themselves, flow totals, and the newest values of each device."""

import asyncio

import pytest

from cloud.tests.conftest import Caller
from cloud.tests.telemetry.conftest import NOW, Peer, batch, sample, stored
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import custom, latest, queries
from edgeflow_protocol.telemetry import Disk, FlowTotals


@pytest.fixture(autouse=True)
def written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "_EVERY", 0.02)


async def written(db: Database, device: Peer, time_of: object = NOW) -> dict[str, object]:
    """The device's newest values, once they are written."""
    async with asyncio.timeout(5):
        while True:
            async with db.system_tx("test") as tx:
                row = await tx.fetchrow(
                    "select * from device_latest_metrics where device_id = $1", device.device_id
                )
            if row is not None and row["time"] == time_of:
                return dict(row)
            await asyncio.sleep(0.02)


async def test_custom_values_are_charted_beside_the_others(client: Caller, db: Database, peer: Peer) -> None:
    await peer.send(
        batch(
            1,
            sample(1, custom={"bar": 2.0, "tank.level": 7.0}, flows=FlowTotals(3, 2, 1, 90, 4)),
            sample(0, custom={"bar": 4.0}, flows=FlowTotals(3, 2, 1, 91, 4)),
        )
    )
    await written(db, peer)
    path = f"/devices/{ids.encode(ids.DEVICE, peer.device_id)}/metrics"
    names = (await client("owner").get(f"{path}/names")).json()["items"]
    assert [one["name"] for one in names if one["kind"] == "custom"] == ["bar", "tank.level"]
    for aggregate, value in (("avg", 3.0), ("min", 2.0), ("max", 4.0)):
        params = {"metric": "bar,flows_running,tank.level", "step": "86400", "aggregate": aggregate}
        body = (await client("owner").get(path, params=params)).json()
        assert list(body["metrics"]) == ["time", "bar", "flows_running", "tank.level"]
        assert body["resolution"] == "1d"
        got = [one for one in body["metrics"]["bar"] if one is not None]
        assert got == [value] or len(got) == 2  # two days meet at midnight
        assert next(one for one in body["metrics"]["flows_running"] if one is not None) == 2
    unknown = await client("owner").get(path, params={"metric": "foo"})
    assert "tank.level" in unknown.json()["error"]
    assert (await client("stranger").get(f"{path}/names")).status_code == 404


async def test_the_newest_values_of_a_device(db: Database, peer: Peer) -> None:
    await peer.send(
        batch(1, sample(0, 33.0, temperature_celsius=50.0, disks=[Disk("/", 100, 25)], custom={"a": 1.0}))
    )
    row = await written(db, peer)
    assert (row["cpu_percent"], row["disk_percent"], row["custom"]) == (33.0, 25.0, {"a": 1.0})
    await peer.send(batch(2, sample(60, 99.0)))  # kept for long: older than what is known
    await peer.send(batch(3, sample(-1, 44.0, disks=[], custom={"b": 2.0})))
    row = await written(db, peer, sample(-1).time)
    assert (row["cpu_percent"], row["disk_percent"]) == (44.0, 25.0)
    assert (row["temperature_celsius"], row["custom"]) == (50.0, {"a": 1.0, "b": 2.0})


async def test_names_are_counted_by_organization(
    client: Caller, db: Database, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom, "MAX_CUSTOM_METRICS", 2)
    ack = await peer.send(batch(1, sample(0, custom={"a": 1.0, "b": 2.0})))
    assert ack is not None
    assert ack.error == ""
    for sequence in (2, 3):
        ack = await peer.send(batch(sequence, sample(0, custom={"a": 1.0, "c": 3.0})))
        assert ack is not None
        assert "2 custom metrics" in ack.error
        assert "c were not stored" in ack.error
    assert await stored(db) == 3  # what else the batch held is there
    async with db.system_tx("test") as tx:
        rows = await tx.fetch("select name, count(*) from custom_samples group by 1 order by 1")
    assert [tuple(row) for row in rows] == [("a", 3), ("b", 1)]
    told = (await client("owner").get(f"/devices/{ids.encode(ids.DEVICE, peer.device_id)}/events")).json()
    assert [(one["code"], one["source"], one["data"]) for one in told["items"]] == [
        ("custom_metrics_limit", "cloud", {"refused": ["c"]})  # once, not with every batch
    ]


async def test_the_limit_holds_for_those_who_come_together(
    context: Context, db: Database, owner: Principal
) -> None:
    async def add(number: int) -> list[str]:
        async with db.ingest_tx() as tx:
            return await queries.add_custom_metrics(tx, owner.tenant_id, [f"m{number}", "shared"], 5)

    await asyncio.gather(*(add(number) for number in range(12)))
    async with db.system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from custom_metrics") == 5
