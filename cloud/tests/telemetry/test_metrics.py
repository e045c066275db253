"""Reading measurements over HTTP."""

from datetime import timedelta

from cloud.tests.conftest import Caller
from cloud.tests.telemetry.conftest import NOW, Peer, batch, sample
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal


async def test_averages_by_step_with_gaps_as_null(client: Caller, peer: Peer) -> None:
    await peer.send(batch(1, sample(0, 20), sample(10, 40), sample(600, 90), sample(610, None)))
    name = ids.encode(ids.DEVICE, peer.device_id)
    start, end = NOW - timedelta(minutes=15), NOW + timedelta(seconds=1)
    answer = await client("owner").get(
        f"/devices/{name}/metrics",
        params={
            "metric": "cpu_percent,memory_total_bytes",
            "from": start.isoformat(),
            "to": end.isoformat(),
            "step": 3600,
        },
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["device_id"], body["step"]) == (name, 3600)
    assert set(body["metrics"]) == {"time", "cpu_percent", "memory_total_bytes"}
    values = [value for value in body["metrics"]["cpu_percent"] if value is not None]
    assert 20 <= sum(values) / len(values) <= 90
    fine = (await client("owner").get(f"/devices/{name}/metrics", params={"to": end.isoformat()})).json()
    assert fine["step"] == 10
    assert len(fine["metrics"]["time"]) == len(fine["metrics"]["cpu_percent"])
    assert len([value for value in fine["metrics"]["cpu_percent"] if value is not None]) == 3
    assert fine["metrics"]["temperature_celsius"][0] is None
    assert fine["metrics"]["time"][0] % 10 == 0


async def test_refusals_say_what_would_do(client: Caller, peer: Peer) -> None:
    path = f"/devices/{ids.encode(ids.DEVICE, peer.device_id)}/metrics"
    unknown = await client("owner").get(path, params={"metric": "cpu"})
    assert unknown.status_code == 422
    assert unknown.json()["code"] == "unknown_metric"
    assert "cpu_percent" in unknown.json()["error"]
    assert (await client("owner").get(path, params={"from": "yesterday"})).status_code == 422
    much = await client("owner").get(path, params={"from": (NOW - timedelta(days=2)).isoformat(), "step": 1})
    assert much.status_code == 422
    assert "2000" in much.json()["error"]
    assert (await client("").get(path)).status_code == 401


async def test_another_organization_sees_nothing(
    client: Caller, db: Database, peer: Peer, stranger: Principal, owner: Principal
) -> None:
    await peer.send(batch(1))
    path = f"/devices/{ids.encode(ids.DEVICE, peer.device_id)}/metrics"
    assert (await client("stranger").get(path)).status_code == 404
    for principal, count in ((owner, 1), (stranger, 0)):
        async with db.tenant_tx(principal) as tx:
            assert await tx.fetchval("select count(*) from device_samples") == count
    async with db.lookup() as tx:
        assert await tx.fetchval("select count(*) from device_samples") == 0
