"""The small parts: buckets, failures, the wheel, damping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edgeflow_cloud.infra.wheel import NOWHERE, Wheel
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.tunnel.damping import Damping
from edgeflow_cloud.tunnel.jobs import SILENCE, ClockSteps
from edgeflow_cloud.tunnel.model import Limits
from edgeflow_cloud.tunnel.rates import Failures, take


@given(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=80))
def test_no_window_holds_more_than_burst_and_rate(pauses: list[float]) -> None:
    now, due = 1000.0, 0.0
    taken: list[float] = []
    for pause in pauses:
        now += pause
        due, over = take(due, now, 1.0, 2.0, 5.0)
        if not over:
            taken.append(now)
    for start in taken:
        for end in taken:
            if end >= start:
                count = sum(start <= at <= end for at in taken)
                assert count <= 5 + 2.0 * (end - start) + 1e-6


def test_what_is_refused_is_not_counted() -> None:
    due, over = take(0.0, 100.0, 5.0, 1.0, 5.0)
    assert over == 0.0
    due, over = take(due, 100.0, 1.0, 1.0, 5.0)
    assert over == 1.0
    due, over = take(due, 101.0, 1.0, 1.0, 5.0)
    assert over == 0.0


def test_failures_by_key() -> None:
    failures = Failures(3, 10.0, size=2)
    for _ in range(3):
        assert failures.wait(("a", "d"), 0.0) == 0.0
        failures.count(("a", "d"), 0.0)
    assert failures.wait(("a", "d"), 0.0) == 10.0
    assert failures.wait(("a", "other"), 0.0) == 0.0
    assert failures.wait(("a", "d"), 10.0) == 0.0
    failures.count(("b", "d"), 0.0)
    failures.count(("c", "d"), 0.0)
    assert failures.wait(("a", "d"), 0.0) == 0.0, "the oldest is forgotten, so that a flood costs no memory"


class Item:
    def __init__(self) -> None:
        self.wheel_slot = NOWHERE


@given(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 3)), max_size=30))
def test_the_wheel_wakes_everybody_once_in_their_second(steps: list[tuple[float, float]]) -> None:
    now = 10_000.0
    wheel: Wheel[Item] = Wheel(now)
    wanted: dict[Item, float] = {}
    for ahead, pause in steps:
        item = Item()
        wanted[item] = now + ahead
        wheel.put(item, now + ahead)
        now += pause
        for woken in wheel.due(now):
            assert wanted.pop(woken) <= now
    late = now + 300
    assert set(wheel.due(late)) == set(wanted)
    assert all(item.wheel_slot == NOWHERE for item in wanted)
    assert wheel.due(late) == []


def test_the_wheel_forgets_and_moves() -> None:
    wheel: Wheel[Item] = Wheel(0.0)
    one, two = Item(), Item()
    wheel.put(one, 5.0)
    wheel.put(two, 5.0)
    wheel.drop(one)
    wheel.put(two, 9.0)
    assert wheel.due(8.0) == []
    assert wheel.due(20.0) == [two]


def test_damping_counts_contested_takeovers_only_for_a_while() -> None:
    damping = Damping(Limits())
    device = DeviceId(ids.new())
    for at in (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0):  # four a minute are let be
        assert damping.contest(device, at) == 0
    for at in (190.0, 195.0, 200.0, 205.0):
        assert damping.contest(device, at) == 0
    assert damping.wait(device, 205.0) == 0.0
    assert damping.contest(device, 210.0) == 5
    assert damping.wait(device, 210.0) == 60.0
    assert damping.wait(DeviceId(ids.new()), 210.0) == 0.0
    assert damping.wait(device, 270.1) == 0.0


def test_a_clock_that_was_set_makes_nobody_silent() -> None:
    steps, noon = ClockSteps(), datetime(2026, 1, 1, 12, tzinfo=UTC)
    silence = SILENCE.total_seconds()
    assert not steps.lately(noon, 100.0)
    assert not steps.lately(noon + timedelta(seconds=5), 105.0)
    assert steps.lately(noon + timedelta(hours=1, seconds=10), 110.0)
    assert steps.lately(noon + timedelta(hours=1, seconds=15), 115.0)
    assert not steps.lately(noon + timedelta(hours=1, seconds=10 + silence), 110.0 + silence)
    assert steps.lately(noon, 120.0 + silence)  # set back, too
