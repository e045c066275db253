"""Several organizations on one hub: each has a share of what comes in, and its turn with the handlers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from cloud.tests.tunnel.conftest import Registered, running
from edgeflow_cloud import devices
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.tunnel import DeviceSide, Limits, Session
from edgeflow_cloud.tunnel.fairness import Fairness, Share
from edgeflow_protocol import frames

LIMITS = Limits(
    tenant_frames_per_second=10.0, tenant_frames_per_device=0.0, tenant_burst_seconds=1.0, handlers=4
)


def two() -> tuple[Fairness, Share, Share]:
    fairness = Fairness(LIMITS)
    return fairness, fairness.join(TenantId(ids.new())), fairness.join(TenantId(ids.new()))


def test_whoever_is_over_the_share_waits_and_others_do_not() -> None:
    fairness, loud, quiet = two()
    waits = [fairness.count(loud, 100.0) for _ in range(15)]
    assert waits[:9] == [0.0] * 9 and 0.3 < waits[-1] < 0.6
    assert fairness.count(quiet, 100.0) == 0.0
    assert fairness.count(loud, 102.0) == 0.0  # time pays it off


def test_an_organization_that_is_alone_has_all() -> None:
    fairness, loud, quiet = two()
    fairness.part(quiet)
    assert [fairness.count(loud, 1.0) for _ in range(1000)] == [0.0] * 1000


async def test_no_organization_holds_more_than_half_while_others_are_in() -> None:
    fairness, loud, quiet = two()
    for _ in range(2):
        await fairness.enter(loud)
    third = asyncio.create_task(fairness.enter(loud))
    await asyncio.sleep(0)
    assert not third.done()
    await asyncio.wait_for(fairness.enter(quiet), 1)
    fairness.leave(loud)
    await asyncio.wait_for(third, 1)
    assert (loud.running, quiet.running) == (2, 1)


async def test_places_go_round() -> None:
    served: list[int] = []
    fairness = Fairness(Limits(handlers=2))
    parts = [fairness.join(TenantId(ids.new())) for _ in range(3)]

    async def work(number: int) -> None:
        await fairness.enter(parts[number])
        served.append(number)
        await asyncio.sleep(0.001)
        fairness.leave(parts[number])

    await asyncio.gather(
        *(work(0) for _ in range(30)), *(work(1) for _ in range(3)), *(work(2) for _ in range(3))
    )
    assert Counter(served) == {0: 30, 1: 3, 2: 3}
    assert max(index for index, number in enumerate(served) if number) < 12  # not behind the thirty
    assert [part.running for part in parts] == [0, 0, 0]


async def test_who_is_cancelled_while_waiting_leaves_no_hole() -> None:
    fairness, loud, quiet = two()
    for share in (loud, loud, quiet, quiet):
        await fairness.enter(share)
    waiting = [asyncio.create_task(fairness.enter(loud)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    fairness.leave(loud)
    await asyncio.wait_for(waiting[1], 1)
    waiting[0].cancel()
    assert (loud.running, quiet.running) == (2, 2)


async def test_a_loud_organization_is_not_read_and_loses_nothing(
    context: Context, device: Registered, stranger: Principal, register: Callable[[], Awaitable[Registered]]
) -> None:
    handled: Counter[str] = Counter()

    async def take(session: Session, frame: frames.ShadowReported) -> None:
        handled[session.wire_id] += 1
        session.send(frames.ShadowAccepted(id=frame.id, version=1, delta={}))

    async with context.db.tenant_tx(stranger) as tx:
        made, key = await devices.create_device(tx, stranger, name="quiet")
    quiet = Registered(made.device_id, key)
    side = DeviceSide(capabilities=["shadow"], frames={frames.ShadowReported: take})
    limits = Limits(tenant_frames_per_second=100.0, tenant_frames_per_device=0.0, tenant_burst_seconds=0.1)
    async with (
        running(context, side, limits=limits) as hub,
        hub.client(device, capabilities=["shadow"]) as loud,
        hub.client(quiet, capabilities=["shadow"]) as other,
    ):
        began = asyncio.get_running_loop().time()
        for number in range(240):
            if number % 10 == 0:
                await asyncio.sleep(0.005)  # more than one read: what is read at once is taken at once
            await loud.send(type="shadow_reported", id=str(number), reported={"filler": "x" * 600})
        await asyncio.sleep(0.1)
        await other.send(type="shadow_reported", id="mine", reported={})
        assert (await other.receive())["id"] == "mine"
        quick = asyncio.get_running_loop().time() - began
        for number in range(240):
            assert (await loud.receive())["id"] == str(number)
        assert quick < 0.6 and asyncio.get_running_loop().time() - began > 0.7
        assert handled[device.wire_id] == 240
