"""Where a sample stands in time, and what may be asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry.model import (
    KEEP,
    Kept,
    Refused,
    choose_metrics,
    choose_window,
    make_batch,
    split_metrics,
)
from edgeflow_protocol.telemetry import Disk, Sample

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TIME, SAID = 2, 4


def rows(*times: datetime) -> list[tuple[object, ...]]:
    samples = [Sample(time=time, cpu_percent=1) for time in times]
    return make_batch(TenantId(ids.new()), DeviceId(ids.new()), "b", 1, samples, NOW).rows


def test_a_believable_clock_is_believed() -> None:
    times = [NOW - timedelta(days=29), NOW - timedelta(seconds=10), NOW + timedelta(hours=20)]
    assert [(row[TIME], row[SAID]) for row in rows(*times)] == [(time, None) for time in times]


@pytest.mark.parametrize("wrong", [datetime(1970, 1, 1, 0, 5, tzinfo=UTC), NOW + timedelta(days=400)])
def test_an_absurd_clock_is_placed_by_ours_with_its_distances(wrong: datetime) -> None:
    placed = rows(wrong, wrong + timedelta(seconds=10), NOW - timedelta(seconds=1))
    assert [row[TIME] for row in placed] == [NOW - timedelta(seconds=10), NOW, NOW - timedelta(seconds=1)]
    assert [row[SAID] for row in placed] == [wrong, wrong + timedelta(seconds=10), None]


def test_what_retention_would_delete_is_let_go() -> None:
    assert rows(NOW - KEEP - timedelta(hours=1)) == []


def test_the_ends_of_the_calendar_do_no_harm() -> None:
    first = datetime.min.replace(tzinfo=UTC)
    last = datetime.max.replace(tzinfo=UTC)
    assert len(rows(first, last)) == 2


@pytest.mark.parametrize(
    "bad",
    [
        Sample(time=NOW, cpu_cores=[1.0] * 300),
        Sample(time=NOW, cpu_cores=[1e300]),
        Sample(time=NOW, load_1=float("inf")),
        Sample(time=NOW, disks=[Disk(mount="x" * 600)]),
    ],
)
def test_what_can_never_be_stored_is_refused(bad: Sample) -> None:
    with pytest.raises(Refused):
        make_batch(TenantId(ids.new()), DeviceId(ids.new()), "b", 1, [bad], NOW)


def test_windows() -> None:
    hour = choose_window(None, None, None, NOW)
    assert (hour.start, hour.end, hour.step) == (NOW - timedelta(hours=1), NOW, 10)
    assert len(hour.buckets()) == 360
    assert choose_window(NOW - timedelta(days=1), NOW, None, NOW).step == 300
    assert choose_window(NOW - timedelta(days=30), NOW, None, NOW).step == 7200
    odd = choose_window(NOW - timedelta(seconds=95), NOW, 60, NOW)
    assert odd.buckets()[0] % 60 == 0
    assert odd.buckets()[0] <= odd.start.timestamp()
    with pytest.raises(Invalid, match="step of 44 seconds or more"):
        choose_window(NOW - timedelta(days=1), NOW, 10, NOW)
    with pytest.raises(Invalid, match="before"):
        choose_window(NOW, NOW, None, NOW)
    assert choose_window(NOW - timedelta(days=1_000), NOW, None, NOW).step == 86_400
    with pytest.raises(Invalid, match="30 days"):
        choose_window(NOW - timedelta(days=40), NOW, None, NOW, Kept(7, 30))


def test_metrics_are_known_by_name() -> None:
    assert choose_metrics("load_1, cpu_percent,load_1") == ("load_1", "cpu_percent")
    assert "cpu_percent" in choose_metrics(None)
    assert split_metrics(("bar", "load_1"), ["bar"]) == (("load_1",), ("bar",))
    with pytest.raises(Invalid, match=r"no metric 'cpu; drop'.*cpu_percent.*bar") as problem:
        split_metrics(choose_metrics("cpu; drop"), ["bar"])
    assert problem.value.code == "unknown_metric"
