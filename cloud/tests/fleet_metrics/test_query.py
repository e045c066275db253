"""A chart of many devices tells what plain arithmetic over their samples tells."""

import math
from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.tests.conftest import Caller
from cloud.tests.telemetry.conftest import NOW, Peer, batch
from edgeflow_cloud import devices
from edgeflow_cloud.devices import Labelled, Target
from edgeflow_cloud.fleet_metrics import model, service
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import Window
from edgeflow_cloud.telemetry.rollups.model import DAY, HOUR, MINUTE
from edgeflow_cloud.telemetry.rollups.rolling import roll_up
from edgeflow_protocol.telemetry import Sample

BEGIN = (NOW - timedelta(days=3)).replace(hour=0, minute=0, second=0)
TAGS: list[list[str]] = [["red"], ["red", "blue"], ["blue"], []]
_VALUES = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))
_SAMPLE = st.tuples(
    st.integers(0, 3),
    st.one_of(st.integers(0, 2 * DAY - 1), st.sampled_from([0, 59, 60, HOUR, DAY])),
    st.none() | _VALUES,
    st.none() | _VALUES,
)
_WORK = st.lists(
    st.one_of(st.lists(_SAMPLE, min_size=1, max_size=12), st.sampled_from([MINUTE, HOUR, DAY])),
    min_size=1,
    max_size=6,
)

Values = list[float | None]


def directly(known: list[tuple[float, float]], window: Window, aggregate: str) -> Values:
    """The answer from the values themselves."""
    buckets: dict[int, list[float]] = defaultdict(list)
    for time, value in known:
        buckets[int(time) // window.step * window.step].append(value)
    made = {"avg": lambda v: math.fsum(v) / len(v), "min": min, "max": max, "sum": math.fsum, "count": len}[
        aggregate
    ]
    nothing = 0 if aggregate == "count" else None
    return [made(buckets[one]) if one in buckets else nothing for one in window.buckets()]


def same(got: Values, wanted: Values) -> bool:
    return len(got) == len(wanted) and all(
        one is other is None
        or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9, abs_tol=2e-5))
        for one, other in zip(got, wanted, strict=True)
    )


@pytest.fixture
async def fleet(context: Context, db: Database, owner: Principal) -> list[Peer]:
    """Four devices with TAGS, the first two of them in a group of their own."""
    made: list[Peer] = []
    for number, tags in enumerate(TAGS):
        async with db.tenant_tx(owner) as tx:
            device, _ = await devices.create_device(tx, owner, name=f"press {number}", notes="", tags=tags)
        made.append(Peer(context, owner, device.device_id))
    return made


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(work=_WORK)
async def test_many_devices_tell_what_their_samples_tell(
    work: list[list[tuple[int, int, float | None, float | None]] | int],
    db: Database,
    fleet: list[Peer],
    owner: Principal,
) -> None:
    boot = ids.new().hex
    async with db.system_tx("test") as tx:
        for table in ("system_samples", "custom_samples", "system_1m", "custom_1m", "system_1h", "custom_1h",
                      "system_1d", "custom_1d", "rollups_due", "device_latest_metrics"):  # fmt: skip
            await tx.execute(f"delete from {table}")
        for peer in fleet:
            await tx.execute("insert into device_latest_metrics (tenant_id, device_id, time, custom) "
                             "values ($1, $2, now(), '{\"own\": 1}')", owner.tenant_id, peer.device_id)  # fmt: skip
    known: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for sequence, one in enumerate(work, 1):
        if isinstance(one, int):
            await roll_up(db, one, NOW)
            continue
        for number, peer in enumerate(fleet):
            samples: list[Sample] = []
            for _, seconds, cpu, own in (item for item in one if item[0] == number):
                time = BEGIN + timedelta(seconds=seconds)
                samples.append(Sample(time=time, cpu_percent=cpu, custom={} if own is None else {"own": own}))
                if cpu is not None:
                    known["cpu_percent", number].append((time.timestamp(), cpu))
                if own is not None:
                    known["own", number].append((time.timestamp(), own))
            if samples:
                ack = await peer.send(batch(sequence, *samples, boot=boot))
                assert ack is not None and not ack.error
    in_series: dict[model.GroupBy, dict[str, list[int]]] = {
        "none": {"all": [0, 1, 2, 3]},
        "tag": {"red": [0, 1], "blue": [1, 2], "": [3]},
        "device": {ids.encode(ids.DEVICE, peer.device_id): [number] for number, peer in enumerate(fleet)},
    }
    for step, aggregate in zip(
        (HOUR // 2, HOUR, DAY, HOUR, DAY), ("avg", "min", "max", "sum", "count"), strict=True
    ):
        window = Window(BEGIN, BEGIN + timedelta(days=2), step)
        for metric in ("cpu_percent", "own"):
            for group_by, series in in_series.items():
                async with db.tenant_tx(owner) as tx:
                    got = await service.chart(
                        tx,
                        owner,
                        Target(all=True),
                        metric,
                        window.start,
                        window.end,
                        step,
                        aggregate,
                        group_by,
                        NOW,
                    )
                assert {one.key for one in got.series} == set(series)
                for one in got.series:
                    values = [value for number in series[one.key] for value in known[metric, number]]
                    assert same(list(one.values), directly(values, window, aggregate)), (aggregate, one.key)


async def test_over_http_by_group_with_the_averages_weighted(client: Caller, fleet: list[Peer]) -> None:
    caller = client("owner")
    group = (await caller.post("/groups", json={"name": "Hall 1"})).json()
    first = [ids.encode(ids.DEVICE, peer.device_id) for peer in fleet[:2]]
    await caller.put(f"/groups/{group['id']}/members", json={"device_ids": first})
    moving = (await caller.post("/groups", json={"name": "blue ones", "query": "tag = blue"})).json()
    # One device measures nine times as often: an average of the devices' averages would say 50.
    await fleet[0].send(
        batch(1, *(Sample(time=NOW - timedelta(seconds=one), cpu_percent=10.0) for one in range(1, 10)))
    )
    await fleet[1].send(batch(1, Sample(time=NOW - timedelta(seconds=1), cpu_percent=90.0)))
    body = {"target": {"all": True}, "metric": "cpu_percent", "step": 86_400, "to": NOW.isoformat(),
            "from": (NOW - timedelta(minutes=5)).isoformat(), "group_by": "group"}  # fmt: skip
    answer = await caller.post("/telemetry/query", json=body)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["resolution"], said["devices"], said["group_by"]) == ("1d", 4, "group")
    assert [(one["key"], one["label"]) for one in said["series"]] == [
        (moving["id"], "blue ones"), (group["id"], "Hall 1"), ("", "")]  # fmt: skip
    values = {one["label"]: [value for value in one["values"] if value is not None] for one in said["series"]}
    assert values == {"blue ones": [90.0], "Hall 1": [18.0], "": []}
    assert all(len(one["values"]) == len(said["time"]) for one in said["series"])
    for target in ({"group": "Hall 1"}, {"device_ids": first}, {"query": 'group = "Hall 1"'}):
        answer = await caller.post("/telemetry/query", json=body | {"target": target, "group_by": "none"})
        assert [one for one in answer.json()["series"][0]["values"] if one is not None] == [18.0]
    nothing = await client("stranger").post("/telemetry/query", json=body | {"group_by": "none"})
    assert (nothing.json()["devices"], nothing.json()["series"]) == (0, [])


async def test_refusals_say_what_would_do(client: Caller, fleet: list[Peer]) -> None:
    caller, body = client("owner"), {"target": {"all": True}, "metric": "cpu_percent"}
    for change, code, word in (
        ({"metric": "cpu"}, "unknown_metric", "cpu_percent"),
        ({"target": {"group": "nowhere"}}, "group_not_found", "group"),
        ({"target": {"query": "colour = red"}}, "query_invalid", "colour"),
        ({"target": {}}, "invalid_input", "exactly one way"),
        ({"from": NOW.isoformat(), "to": BEGIN.isoformat()}, "invalid", "before"),
        ({"from": BEGIN.isoformat(), "step": 1}, "invalid", "2000"),
        ({"aggregate": "median"}, "invalid_input", "aggregate"),
    ):
        answer = await caller.post("/telemetry/query", json=body | change)
        assert (answer.status_code in (400, 404, 422), answer.json()["code"]) == (True, code), answer.text
        assert word in answer.text
    assert (await client("").post("/telemetry/query", json=body)).status_code == 401


async def test_more_devices_than_can_be_charted_are_refused(
    client: Caller, fleet: list[Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"target": {"all": True}, "metric": "cpu_percent"}
    monkeypatch.setattr(service, "MOST_DEVICES", 3)
    answer = await client("owner").post("/telemetry/query", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "target_too_large")


def test_steps_grow_with_the_fleet_unless_one_was_chosen() -> None:
    hour, two_days = (Window(BEGIN, BEGIN + timedelta(hours=hours), 10) for hours in (1, 48))
    assert model.fit(hour, 100, chosen=False).step == 10
    assert model.fit(hour, 10_000, chosen=False).step == 60
    assert model.fit(two_days, 10_000, chosen=False).step == HOUR
    with pytest.raises(Invalid, match="Use a step of 60 seconds"):
        model.fit(hour, 10_000, chosen=True)
    with pytest.raises(Invalid, match="Use a shorter time"):
        model.fit(Window(BEGIN, BEGIN + timedelta(days=1_000), DAY), 10_000, chosen=True)


def test_series_are_capped() -> None:
    many = [Labelled(DeviceId(ids.new()), f"press {number:03}", ["red"], []) for number in range(101)]
    with pytest.raises(Invalid, match=r"101 series.*`group`, `tag`, `none`"):
        model.arrange(many, "device")
    assert model.arrange(many, "tag")[1] == [("red", "red")]
    assert [label for _, label in model.arrange(many[:100], "device")[1]] == [one.name for one in many[:100]]
