"""Rate limits, shared on Valkey and local without it."""

import uuid

import pytest

from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.limits import Limit, Limits
from edgeflow_cloud.kernel.errors import TooMany


async def test_two_processes_share_one_count(bus: Bus, stack: dict[str, str]) -> None:
    limit, key = Limit("login", 5, 60), str(uuid.uuid4())
    second_bus = Bus(stack["valkey"])
    first, second = Limits(bus), Limits(second_bus)
    for left in (4, 3, 2, 1, 0):
        allowance = await (first if left % 2 else second).take(limit, key)
        assert (allowance.allowed, allowance.remaining) == (True, left)
    refused = await first.take(limit, key)
    assert not refused.allowed
    assert 0 < refused.retry_after <= 12
    headers = refused.headers()
    assert headers["RateLimit-Limit"] == "5"
    assert headers["RateLimit-Remaining"] == "0"
    assert 1 <= int(headers["Retry-After"]) <= 12
    assert 1 <= int(headers["RateLimit-Reset"]) <= 60
    with pytest.raises(TooMany) as problem:
        refused.check("Wait a little.")
    assert problem.value.headers["RateLimit-Remaining"] == "0"
    assert (await first.take(Limit("other", 5, 60), key)).allowed  # another limit, another count
    assert (await first.take(limit, str(uuid.uuid4()))).allowed
    await second_bus.close()


async def test_looking_costs_nothing(bus: Bus) -> None:
    limits, limit, key = Limits(bus), Limit("look", 2, 60), str(uuid.uuid4())
    for _ in range(3):
        looked = await limits.take(limit, key, cost=0)
        assert (looked.allowed, looked.remaining) == (True, 2)
    await limits.take(limit, key, cost=2)
    looked = await limits.take(limit, key, cost=0)
    assert not looked.allowed
    assert 0 < looked.retry_after <= 30


async def test_without_valkey_the_process_counts_alone() -> None:
    limits, limit = Limits(Bus("redis://127.0.0.1:1/0")), Limit("login", 3, 60)
    assert [(await limits.take(limit, "k")).allowed for _ in range(5)] == [True, True, True, False, False]
    looked = await limits.take(limit, "k", cost=0)
    assert not looked.allowed
    assert looked.retry_after > 0


async def test_who_is_fast_is_counted_in_leases_and_gets_not_one_call_more(bus: Bus) -> None:
    limit, key = Limit("leased", 60, 60, burst=40, lease=8), str(uuid.uuid4())
    limits = Limits(bus)
    before = (await bus.client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    taken = [await limits.take(limit, key) for _ in range(60)]
    asked = (await bus.client.info("commandstats"))["cmdstat_evalsha"]["calls"] - before
    allowed = [one.remaining for one in taken if one.allowed]
    assert 40 <= len(allowed) <= 41  # one more grows again within a second
    assert allowed[:40] == list(range(39, -1, -1))
    assert asked <= 30, "each of the twenty refusals asks anew, but the forty before went by in leases"
    assert not taken[-1].allowed and taken[-1].retry_after > 0


async def test_a_lease_that_is_not_used_up_ends(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeflow_cloud.infra.limits._LEASED", 0.0)
    limits, limit, key = Limits(bus), Limit("slow", 600, 600, lease=8), str(uuid.uuid4())
    assert [(await limits.take(limit, key)).remaining for _ in range(4)] == [599, 598, 597, 596]
