"""Pairs tell a difference that is there from a machine that is busy."""

import random

import pytest

from edgeflow_cloud.tenant_drills.pairs import SECONDS, Pairs

MOST = 12_000


def judged(seed: int, apart: float, *, usual: float = 0.003, load: float = 0.002) -> bool | None:
    """What is said of a known side that takes `apart` seconds longer, under a load that comes and goes."""
    dice = random.Random(seed)
    pairs, busy = Pairs(), 0.0
    while len(pairs.known) < MOST and (pairs.alike is None):
        for _ in range(250):
            busy = 0.9 * busy + load * dice.expovariate(1)  # weighs on both of a pair
            took = [usual + busy + load * dice.paretovariate(1.5) for _ in range(2)]
            pairs.add(took[0] + apart, took[1])
    return pairs.alike


@pytest.mark.parametrize("load", [0.00002, 0.0002, 0.002])
def test_what_is_alike_is_called_alike(load: float) -> None:
    said = [judged(seed, 0.0, load=load) for seed in range(10)]
    assert False not in said
    assert said.count(True) >= 9


@pytest.mark.parametrize("load", [0.00002, 0.0002, 0.002])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_apart_is_seen(load: float, sign: int) -> None:
    far = 4 * max(SECONDS, 0.01 * (0.003 + 20 * load))
    assert {judged(seed, sign * far, load=load) for seed in range(5)} == {False}


def test_a_busy_machine_that_says_too_little_proves_nothing() -> None:
    pairs, dice = Pairs(), random.Random(1)
    for _ in range(60):
        pairs.add(dice.expovariate(20), dice.expovariate(20))
    assert pairs.alike is None
    assert "60 pairs" in str(pairs)
    assert Pairs().alike is None and str(Pairs()) == "no samples"


def test_a_share_of_what_is_slow_may_differ() -> None:
    pairs = Pairs()
    for _ in range(24):
        pairs.add(0.252, 0.250)
    assert pairs.alike is True
    slower = Pairs()
    for _ in range(24):
        slower.add(0.254, 0.250)
    assert slower.alike is False
