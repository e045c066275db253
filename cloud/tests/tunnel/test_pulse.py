"""Hubs that live and hubs that are lost, keys that end, a Valkey that was emptied."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.tests.tunnel.conftest import Registered, running, until
from edgeflow_cloud import devices
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.tunnel import Hub, signal_device
from edgeflow_cloud.tunnel.pulse import end_lost_hubs
from edgeflow_cloud.tunnel.wiring import SUBSYSTEM as TUNNEL

Status = Callable[[DeviceId], Awaitable[str]]
NEGOTIATES = {"capabilities": ["x"], "boot_id": "b"}


async def age(context: Context, seconds: float, hub: Hub | None = None) -> None:
    """Let the hubs' rows (or one hub's) be as after so many seconds of silence."""
    async with context.db.system_tx("test") as tx:
        await tx.execute(
            "update hubs set seen_at = seen_at - make_interval(secs => $1),"
            " looked_at = looked_at - make_interval(secs => $1) where $2::text is null or id = $2",
            seconds,
            hub.hub_id if hub else None,
        )


async def rows(context: Context) -> dict[str, bool]:
    """Hub -> whether it is lost."""
    async with context.db.system_tx("test") as tx:
        return {
            row["id"]: row["lost"]
            for row in await tx.fetch("select id, lost_at is not null as lost from hubs")
        }


async def is_known(context: Context, hub: Hub) -> bool:
    """Whether the hub's row says that it lives."""
    return (await rows(context)).get(hub.hub_id) is False


async def eventually(ask: Callable[[], Awaitable[bool]]) -> None:
    """Wait until `ask` answers yes, at most five seconds."""
    async with asyncio.timeout(5):
        for _ in itertools.count():
            if await ask():
                return
            await asyncio.sleep(0.02)


def hold_breath(hub: Hub) -> None:
    """The hub renews nothing any more, as if its process stood still."""

    async def none() -> None:
        await asyncio.sleep(3600)

    hub._pulse.beat = none


async def lose(context: Context, hub: Hub) -> None:
    """Three looks that find it late."""
    for _ in range(3):
        await age(context, 5, hub)
        await end_lost_hubs(context)


async def test_a_hub_that_ends_in_order_leaves_no_row(context: Context, device: Registered) -> None:
    async with running(context) as hub:
        await eventually(lambda: is_known(context, hub.hub))
    assert hub.hub.hub_id not in await rows(context)


async def test_the_devices_of_a_lost_hub_go_offline_with_their_events(
    context: Context, device: Registered, status_of: Status, register: Callable[[], Awaitable[Registered]]
) -> None:
    other = await register()
    async with running(context) as dead, running(context) as alive, dead.client(device) as client:
        async with alive.client(other):
            await asyncio.sleep(0.2)
            hold_breath(dead.hub)
            for _ in range(2):
                await age(context, 5, dead.hub)
                await end_lost_hubs(context)
            assert await status_of(device.device_id) == "online", "two looks may be bad luck"
            await age(context, 5, dead.hub)
            await end_lost_hubs(context)
            assert await status_of(device.device_id) == "offline"
            assert await status_of(other.device_id) == "online"
            assert (await rows(context))[dead.hub.hub_id]
        async with context.db.system_tx("test") as tx:
            said = await tx.fetchval(
                "select payload->>'reason' from outbox where name = 'device.disconnected'"
                " and payload->>'device_id' = $1",
                str(device.device_id),
            )
        assert "hub" in said
        # It only slept: what its device says finds its epoch gone, and the device is sent to connect again.
        await client.send(type="ping")
        assert (await client.receive())["type"] == "pong"
        await dead.hub.presence.write_touches()
        assert await client.closed() == 1012
        async with alive.client(device):
            assert await status_of(device.device_id) == "online"


async def test_a_hub_that_slept_and_was_given_up_notices_by_itself(
    context: Context, device: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeflow_cloud.tunnel.pulse.PULSE_SECONDS", 0.1)
    monkeypatch.setattr("edgeflow_cloud.tunnel.pulse.LATE_SECONDS", 0.5)
    async with running(context) as hub, hub.client(device, **NEGOTIATES) as client:
        beat = hub.hub._pulse.beat
        sleeping = asyncio.Event()

        async def late() -> None:
            await asyncio.sleep(0.7)
            await sleeping.wait()
            await beat()

        hub.hub._pulse.beat = late
        await asyncio.sleep(0.2)
        await lose(context, hub.hub)
        sleeping.set()
        error, code = await client.refusal()
        assert (error["code"], code) == ("given_up", 1012)
        async with hub.client(device):
            await eventually(lambda: is_known(context, hub.hub))  # it lives again


async def test_a_database_that_was_away_has_killed_nobody(
    context: Context, device: Registered, status_of: Status
) -> None:
    async with running(context) as hub, hub.client(device):
        await asyncio.sleep(0.2)
        await age(context, 600)  # nobody could renew anything for ten minutes
        await end_lost_hubs(context)
        await end_lost_hubs(context)
        await hub.hub._pulse.beat()
        for _ in range(3):
            await end_lost_hubs(context)
        assert await status_of(device.device_id) == "online"


async def test_the_worker_finds_the_last_hub(context: Context, device: Registered, status_of: Status) -> None:
    job = next(schedule.job for schedule in TUNNEL.schedules)
    async with running(context) as hub, hub.client(device):
        await asyncio.sleep(0.2)
        hold_breath(hub.hub)
        for _ in range(3):
            await age(context, 5)
            await job.handler(context, {})
        assert await status_of(device.device_id) == "offline"


async def test_a_key_that_ends_after_its_overlap_ends_the_tunnel(
    context: Context, owner: Principal, device: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeflow_cloud.tunnel.pulse.PULSE_SECONDS", 0.1)
    async with running(context) as hub, hub.client(device, **NEGOTIATES) as old:
        async with context.db.tenant_tx(owner) as tx:
            key = await devices.rotate_key(tx, owner, device.device_id, overlap=timedelta(seconds=1))
        await old.send(type="ping")
        assert (await old.receive())["type"] == "pong", "both keys are good for now"
        error, code = await old.refusal()
        assert (code, error["code"]) == (4401, "key_revoked")
        async with hub.client(Registered(device.device_id, key)) as new:
            await asyncio.sleep(0.3)
            await new.send(type="ping")
            assert (await new.receive())["type"] == "pong", "the new key stays good"


async def test_a_removed_device_is_found_without_valkeys_help(
    context: Context, owner: Principal, device: Registered
) -> None:
    """Its lease is gone: the job asks every hub."""
    job = next(reaction.job for reaction in TUNNEL.reactions if reaction.event == "device.deleted")
    async with running(context) as hub, hub.client(device) as client:
        await eventually(lambda: is_known(context, hub.hub))
        elsewhere = Bus(context.settings.valkey_url.reveal())  # type: ignore[union-attr]
        await elsewhere.start()
        await elsewhere.delete(f"route:{device.device_id}")
        async with context.db.tenant_tx(owner) as tx:
            await devices.delete_device(tx, owner, device.device_id)
        payload: dict[str, object] = {
            "event_id": str(device.device_id),
            "tenant_id": str(owner.tenant_id),
            "name": "device.deleted",
            "version": 1,
            "occurred_at": context.clock.now().isoformat(),
            "payload": {"device_id": str(device.device_id)},
        }
        await job.handler(replace(context, bus=elsewhere), payload)
        assert await client.closed() == 4401
        await elsewhere.close()


async def test_an_emptied_valkey_is_noticed_at_once(
    context: Context, device: Registered, other_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeflow_cloud.tunnel.neighbours._WATCH_SECONDS", 0.1)
    async with running(context) as hub, hub.client(device):
        await until(lambda: hub.hub.has_live(device.device_id))
        await asyncio.sleep(0.3)
        await other_bus.delete(f"route:{device.device_id}", f"mark:{hub.hub.hub_id}")
        assert not await signal_device(other_bus, device.device_id, "x")
        # Renewing by the clock alone comes after ten seconds.
        await eventually(lambda: signal_device(other_bus, device.device_id, "x"))
