"""A simulated plant: what it tells of its work arrives once, whatever dies in between."""

import asyncio

from cloud.tests.conftest import Caller
from cloud.tests.simulator.conftest import Place
from cloud.tests.simulator.test_fleet import HURRY, Register
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.simulator import Faults, Load, open_fleet


async def counts(context: Context) -> tuple[int, int]:
    async with context.db.system_tx("test") as tx:
        return (
            await tx.fetchval("select (select count(*) from device_events where source <> 'cloud') + "
                              "(select count(*) + count(*) filter (where status <> 'running') from executions)"),
            await tx.fetchval("select count(*) from device_logs"),
        )  # fmt: skip


async def test_a_plant_tells_of_its_work(
    place: Place, register: Register, context: Context, client: Caller
) -> None:
    identities = await register(2)
    async with open_fleet(
        identities,
        tunnel=place.tunnel,
        rest=place.rest,
        profile="plant",
        load=Load(20, 4),
        pace=HURRY,
        seed=3,
    ) as fleet:
        await fleet.start()
        assert await fleet.until_in(within=10)
        await asyncio.sleep(1.5)
        assert await fleet.settle(10)
        tally = fleet.tally
        assert tally.reports_made == tally.reports_acked > 20
        assert sum(await counts(context)) == tally.reports_acked
    path = f"/devices/{identities[0].device_id}"
    executions = (await client("owner").get(f"{path}/executions", params={"status": "succeeded"})).json()[
        "items"
    ]
    one = (await client("owner").get(f"{path}/executions/{executions[0]['execution_id']}")).json()
    assert [node["node_id"] for node in one["nodes"]] == ["n1", "n2", "n3"]
    lines = (await client("owner").get(f"{path}/logs", params={"search": "started"})).json()["items"]
    assert lines and {line["source"] for line in lines} == {"flows"}
    metrics = await client("owner").get(f"{path}/metrics", params={"metric": "executions_total"})
    assert any(metrics.json()["metrics"]["executions_total"])
    async with context.db.system_tx("test") as tx:
        names = await tx.fetch("select distinct name from custom_samples order by 1")
    assert [row["name"] for row in names] == ["boiler.bar", "line.pieces"]


async def test_crashes_and_lost_acks_tell_nothing_twice(
    place: Place, register: Register, context: Context
) -> None:
    faults = Faults(loss=0.1, crash=0.7)
    async with open_fleet(
        await register(3), tunnel=place.tunnel, rest=place.rest, profile="plant", load=Load(40, 8), pace=HURRY,
        faults=faults, seed=5,
    ) as fleet:  # fmt: skip
        await fleet.start()
        await asyncio.sleep(2.0)
        for device in fleet.devices:
            device.recover()
        assert await fleet.settle(20)
        tally = fleet.tally
        assert tally.crashes and tally.reports_made == tally.reports_acked
        assert sum(await counts(context)) == tally.reports_acked
