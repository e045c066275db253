"""Rollups tell what the samples tell: at any time, in whatever order they come, however often the work is done."""

import math
from collections import defaultdict
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.tests.conftest import Caller
from cloud.tests.telemetry.conftest import NOW, Peer, batch, sample
from edgeflow_cloud import quotas
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.outbox import Announced
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import jobs, service
from edgeflow_cloud.telemetry.model import KEEP, Window
from edgeflow_cloud.telemetry.rollups.model import DAY, HOUR, MINUTE
from edgeflow_cloud.telemetry.rollups.rolling import roll_up
from edgeflow_protocol.telemetry import Sample

BEGIN = (NOW - timedelta(days=3)).replace(hour=0, minute=0, second=0)
_VALUES = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))
_SECONDS = st.one_of(st.integers(0, 2 * DAY - 1), st.sampled_from([0, 59, 60, HOUR - 1, HOUR, DAY - 1, DAY]))
_SAMPLES = st.lists(st.tuples(_SECONDS, st.none() | _VALUES, st.none() | _VALUES), min_size=1, max_size=12)
_STEPS = st.lists(st.one_of(_SAMPLES, st.sampled_from([MINUTE, HOUR, DAY])), min_size=1, max_size=8)


async def all_rolled(db: Database) -> None:
    for step in (MINUTE, HOUR, DAY):
        await roll_up(db, step, NOW)


def directly(known: list[tuple[float, float]], window: Window, aggregate: str) -> list[float | None]:
    """The answer from the values themselves."""
    buckets: dict[int, list[float]] = defaultdict(list)
    for time, value in known:
        buckets[int(time) // window.step * window.step].append(value)
    made = {"avg": lambda v: math.fsum(v) / len(v), "min": min, "max": max}[aggregate]
    return [made(buckets[one]) if one in buckets else None for one in window.buckets()]


def same(got: list[float | None], wanted: list[float | None]) -> bool:
    return len(got) == len(wanted) and all(
        one is other is None
        or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9, abs_tol=2e-6))
        for one, other in zip(got, wanted, strict=True)
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
async def test_any_order_of_samples_and_work_tells_the_same(
    steps: list[list[tuple[int, float | None, float | None]] | int],
    db: Database,
    peer: Peer,
    owner: Principal,
) -> None:
    boot = ids.new().hex
    async with db.system_tx("test") as tx:
        for table in ("system_samples", "custom_samples", "system_1m", "custom_1m", "system_1h", "custom_1h",
                      "system_1d", "custom_1d", "rollups_due", "device_latest_metrics"):  # fmt: skip
            await tx.execute(f"delete from {table}")
        await tx.execute("insert into device_latest_metrics (tenant_id, device_id, time, custom) "
                         "values ($1, $2, now(), '{\"own\": 1}')", owner.tenant_id, peer.device_id)  # fmt: skip
    known: dict[str, list[tuple[float, float]]] = {"cpu_percent": [], "own": []}
    for number, one in enumerate(steps, 1):
        if isinstance(one, int):
            await roll_up(db, one, NOW)
        else:
            samples: list[Sample] = []
            for seconds, cpu, own in one:
                time = BEGIN + timedelta(seconds=seconds)
                samples.append(Sample(time=time, cpu_percent=cpu, custom={} if own is None else {"own": own}))
                if cpu is not None:
                    known["cpu_percent"].append((time.timestamp(), cpu))
                if own is not None:
                    known["own"].append((time.timestamp(), own))
            ack = await peer.send(batch(number, *samples, boot=boot))
            assert ack is not None and not ack.error
        for step in (MINUTE * 30, HOUR, DAY):
            window = Window(BEGIN, BEGIN + timedelta(days=2), step)
            for aggregate in ("avg", "min", "max"):
                async with db.tenant_tx(owner) as tx:
                    got = await service.read_metrics(
                        tx, owner, peer.device_id, window, ("cpu_percent", "own"), aggregate
                    )
                for name, values in known.items():
                    assert same(got[name], directly(values, window, aggregate)), (step, aggregate, name)


async def test_rollups_alone_answer_once_made_and_doing_it_again_changes_nothing(
    client: Caller, db: Database, peer: Peer
) -> None:
    await peer.send(batch(1, *(sample(seconds, float(seconds % 7)) for seconds in range(0, 7_000, 100))))
    await all_rolled(db)
    path = f"/devices/{ids.encode(ids.DEVICE, peer.device_id)}/metrics"
    start = NOW - timedelta(hours=3)

    async def ask(step: int) -> dict[str, object]:
        params = {
            "from": start.isoformat(),
            "to": NOW.isoformat(),
            "step": str(step),
            "metric": "cpu_percent",
        }
        return (await client("owner").get(path, params=params)).json()

    steps = {10: "raw", 90: "raw", 60: "1m", 600: "1m", 3_600: "1h", 7_200: "1h", 86_400: "1d"}
    before = {step: await ask(step) for step in steps}
    assert {step: body["resolution"] for step, body in before.items()} == steps
    for step in (MINUTE, HOUR, DAY):
        assert await roll_up(db, step, NOW) == 0  # nothing is due any more
    async with db.system_tx("test") as tx:
        await tx.execute("update telemetry_cursors set unrolled_from = $1, unrolled_to = $2",
                         NOW - timedelta(hours=2), NOW)  # fmt: skip
    await all_rolled(db)
    assert {step: await ask(step) for step in steps} == before
    async with db.system_tx("test") as tx:
        await tx.execute("delete from system_samples")
    for step, resolution in steps.items():
        body = await ask(step)
        assert (body == before[step]) == (resolution != "raw")


async def test_a_sample_that_cannot_be_summed_stops_nobody(
    db: Database, peer: Peer, owner: Principal
) -> None:
    await peer.send(
        batch(1, *(sample(ago, 1.7e308, cpu_cores=[], custom={"big": -1.7e308}) for ago in range(50)))
    )
    await all_rolled(db)
    window = Window(NOW - timedelta(hours=1), NOW + timedelta(seconds=1), HOUR)
    async with db.tenant_tx(owner) as tx:
        got = await service.read_metrics(tx, owner, peer.device_id, window, ("cpu_percent",), "max")
    assert 1.7e308 in got["cpu_percent"]


async def test_a_stretch_of_many_days_is_done_in_parts(db: Database, peer: Peer) -> None:
    await peer.send(batch(1, sample(0), sample(20 * DAY)))
    assert await roll_up(db, MINUTE, NOW) >= 20
    async with db.system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from system_1m") == 2
        assert await tx.fetchval("select count(*) from rollups_due where step = 60") == 0


async def test_samples_older_than_the_plan_leave_rollups_as_they_are(
    db: Database, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def free(tx: object, tenant_id: object) -> quotas.Plan:
        return quotas.PLANS["free"]

    await peer.send(batch(1, sample(10 * DAY, 50.0)))
    await all_rolled(db)
    monkeypatch.setattr(quotas, "plan_of", free)
    async with db.system_tx("test") as tx:
        await tx.execute("delete from system_samples")
    await peer.send(batch(2, sample(10 * DAY + 1, 90.0)))
    await all_rolled(db)
    async with db.system_tx("test") as tx:
        assert await tx.fetchval("select sums[1] from system_1m") == 50.0


async def test_old_times_are_asked_for_by_what_is_kept_of_them(client: Caller, peer: Peer) -> None:
    path = f"/devices/{ids.encode(ids.DEVICE, peer.device_id)}/metrics"

    def at(days: int) -> dict[str, str]:
        start: datetime = NOW - timedelta(days=days)
        return {"from": start.isoformat(), "to": (start + timedelta(hours=1)).isoformat()}

    for days, step in ((1, 10), (KEEP.days + 1, 60), (100, 3_600), (500, 86_400)):
        assert (await client("owner").get(path, params=at(days))).json()["step"] == step
    fine = await client("owner").get(path, params=at(100) | {"step": "60"})
    assert (fine.status_code, fine.json()["code"]) == (422, "step_too_fine")
    assert "3600" in fine.json()["detail"]
    assert "1826 days" in (await client("owner").get(path, params=at(2_000))).json()["detail"]


async def test_a_device_that_is_gone_takes_its_rollups_along(
    context: Context, db: Database, peer: Peer, owner: Principal
) -> None:
    await peer.send(batch(1, sample(0, custom={"a": 1.0})))
    await all_rolled(db)
    announced = Announced(
        event_id=ids.new(),
        tenant_id=owner.tenant_id,
        name="device.deleted",
        version=1,
        occurred_at=NOW,
        payload={"device_id": str(peer.device_id)},
    )
    await jobs.FORGET_DEVICE.handler(context, announced.to_payload())
    async with db.system_tx("test") as tx:
        for table in ("system_1m", "custom_1m", "system_1h", "custom_1h", "system_1d", "custom_1d"):
            assert await tx.fetchval(f"select count(*) from {table}") == 0
