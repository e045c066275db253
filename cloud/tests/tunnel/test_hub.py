"""The hub through real sockets: who is let in, who is refused and how, who is online, who replaces whom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Client, Registered, Running, running, until
from edgeflow_cloud import devices
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.outbox import Announced
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.clock import SetClock
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.tunnel import DeviceSide, Limits, jobs, signal_device
from edgeflow_cloud.tunnel.clones import find_clone
from edgeflow_cloud.tunnel.jobs import SILENCE
from edgeflow_cloud.tunnel.routing import check_key
from edgeflow_cloud.tunnel.wiring import SUBSYSTEM as TUNNEL

Status = Callable[[DeviceId], Awaitable[str]]
TALKATIVE = DeviceSide(capabilities=("telemetry", "shadow"))


async def events(context: Context, device: Registered) -> list[str]:
    """What was announced about a device after its creation, in order."""
    async with context.db.system_tx("test") as tx:
        rows = await tx.fetch(
            "select name from outbox where payload->>'device_id' = $1 order by id offset 1",
            str(device.device_id),
        )
    return [row["name"] for row in rows]


async def test_a_field_client_sees_the_base_protocol_only(hub: Running, device: Registered) -> None:
    async with hub.client(device) as client:
        assert client.hello == {"type": "connected"}
        await client.send(type="ping", timestamp="2026-11-24T05:46:07.123456789+03:30")
        assert await client.receive() == {"type": "pong"}


async def test_a_negotiating_client_is_told_more(context: Context, device: Registered) -> None:
    async with running(context, TALKATIVE) as hub:
        async with hub.client(device, capabilities=["shadow", "telemetry", "later"], boot_id="b1") as client:
            hello = client.hello
            assert hello["capabilities"] == ["shadow", "telemetry"]
            assert hello["epoch"] == 1
            assert hello["heartbeat_interval"] == 30.0
            assert hello["session_id"] and hello["server_time"].endswith("Z")
        async with hub.client(device, capabilities=["shadow"], boot_id="b1") as client:
            assert client.hello["epoch"] == 2


@pytest.mark.parametrize("wrong", ["key", "device", "malformed", "empty"])
async def test_bad_credentials_get_one_answer(
    hub: Running, device: Registered, register: Callable[[], Awaitable[Registered]], wrong: str
) -> None:
    stranger = await register()
    shown = {
        "key": (device.wire_id, stranger.key),
        "device": ("dev_01jd8x7k5qe2t9zv3m4n6p8r0s", device.key),
        "malformed": ("what is this?", device.key),
        "empty": ("", ""),
    }[wrong]
    async with hub.client() as client:
        await client.send(type="connect", device_id=shown[0], api_key=shown[1], version="1.0.0")
        error, code = await client.refusal()
    assert error == {
        "type": "error",
        "error": "Unknown device or wrong key. Provision the device again, or give it its current key.",
    }
    assert code == 4401


async def test_refused_attempts_are_slowed_down_for_that_device_alone(
    hub: Running, device: Registered
) -> None:
    for _ in range(10):
        async with hub.client() as client:
            await client.send(type="connect", device_id=device.wire_id, api_key="efk_no", version="1.0.0")
            assert (await client.refusal())[1] == 4401
    async with hub.client() as client:
        await client.send(
            type="connect", device_id=device.wire_id, api_key=device.key, capabilities=["x"], boot_id="b"
        )
        error, code = await client.refusal()
    assert code == 4429
    assert error["code"] == "too_many_attempts"
    assert 0 < error["retry_after"] <= 6.0


async def test_silence_before_connect(context: Context, short: Limits) -> None:
    async with running(context, limits=short) as hub, hub.client() as client:
        error, code = await client.refusal()
        assert code == 4408
        assert "connect" in error["error"]


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ('{"type":"ping"}', 1008),
        ("nonsense", 1008),
        ('{"type":"connect","device_id":7}', 1008),
        ("x" * 300_000, 1009),
    ],
)
async def test_a_first_frame_that_is_no_connect(hub: Running, first: str, code: int) -> None:
    async with hub.client() as client:
        await client.socket.send(first)
        error, closed = await client.refusal()
        assert error["error"].endswith(".")
        assert closed == code


async def test_online_and_offline(
    hub: Running, context: Context, device: Registered, status_of: Status
) -> None:
    assert await status_of(device.device_id) == "offline"
    async with hub.client(device):
        assert await status_of(device.device_id) == "online"
    left = time.monotonic()
    while await status_of(device.device_id) == "online":
        assert time.monotonic() - left < 3
        await asyncio.sleep(0.01)
    # The promise is 500 ms; the machine is shared, so the test only shows that nothing waits for a timer.
    assert time.monotonic() - left < 1.5
    assert await events(context, device) == ["device.connected", "device.disconnected"]


async def test_a_silent_device_goes_offline_after_three_heartbeats(
    context: Context, device: Registered, short: Limits, status_of: Status
) -> None:
    async with running(context, limits=short) as hub, hub.client(device) as client:
        for _ in range(4):  # it lives as long as it speaks
            await asyncio.sleep(0.6)
            await client.send(type="ping")
            assert (await client.receive())["type"] == "pong"
        error, code = await client.refusal()
        assert "heartbeat" in error["error"]
        assert code == 1008
        await until(lambda: device.device_id not in hub.hub.sessions)
        await asyncio.sleep(0.5)
        assert await status_of(device.device_id) == "offline"


async def test_the_newest_wins(hub: Running, context: Context, device: Registered, status_of: Status) -> None:
    async with hub.client(device) as first, hub.client(device) as second:
        error, code = await first.refusal()
        assert code == 4409
        assert "newer connection" in error["error"]
        await second.send(type="ping")
        assert (await second.receive())["type"] == "pong"
        await asyncio.sleep(0.4)
        assert await status_of(device.device_id) == "online"
    assert "device.disconnected" not in (await events(context, device))[:2]


async def test_the_newest_wins_across_hubs(
    context: Context, device: Registered, other_bus: Bus, status_of: Status
) -> None:
    async with (
        running(context) as one,
        running(replace(context, bus=other_bus)) as two,
        one.client(device) as first,
        two.client(device) as second,
    ):
        assert (await first.refusal())[1] == 4409
        await second.send(type="ping")
        assert (await second.receive())["type"] == "pong"
        await asyncio.sleep(0.4)
        assert await status_of(device.device_id) == "online"


async def test_two_boxes_with_one_key_are_damped_and_reported(
    client: Caller,
    context: Context,
    owner: Principal,
    device: Registered,
    register: Callable[[], Awaitable[Registered]],
) -> None:
    async with running(context) as hub:
        clients: list[Client] = []
        sockets = []
        for turn in range(6):
            socket = await hub.open()
            sockets.append(socket)
            box = Client(socket)
            clients.append(box)
            await box.send(type="connect", device_id=device.wire_id, api_key=device.key, version="1.0.0")
            assert (await box.receive())["type"] == "connected"
            if turn:
                assert await clients[turn - 1].closed() == 4409
                await asyncio.sleep(0.05)
        async with hub.client() as newcomer:
            await newcomer.send(
                type="connect", device_id=device.wire_id, api_key=device.key, capabilities=["x"], boot_id="b"
            )
            error, code = await newcomer.refusal()
        assert code == 4429
        assert error["code"] == "clone_suspected"
        assert 50 < error["retry_after"] <= 60
        await clients[-1].send(type="ping")  # the one that is in stays in
        assert (await clients[-1].receive())["type"] == "pong"
        async with hub.client(await register()):
            pass  # nobody else is touched
        await asyncio.sleep(0.5)
        assert (await events(context, device)).count("device.clone_suspected") == 1
        async with context.db.tenant_tx(owner) as tx:
            known = await devices.find_device(tx, owner, device.device_id)
            (finding,) = await find_clone(tx, owner, known, context.clock.now())
            audited = await tx.fetch(
                "select new_values from audit_entries where action = 'device.clone_suspected'"
            )
        assert finding.code == "clone_suspected"
        shown = (await client("owner").get(f"/devices/{device.wire_id}")).json()
        assert shown["clone_suspected"] is True
        assert datetime.fromisoformat(shown["clone_suspected_since"]) == finding.since
        assert "127.0.0.1" in finding.detail
        assert [row["new_values"] for row in audited] == [{"takeovers": 5, "addresses": ["127.0.0.1"]}]
        # A new key keeps the other box out: the suspicion is over.
        rotated = next(item.job for item in TUNNEL.reactions if item.event == "device.key_rotated")
        announced = Announced(
            event_id=ids.new(),
            tenant_id=owner.tenant_id,
            name="device.key_rotated",
            version=1,
            occurred_at=context.clock.now(),
            payload={"device_id": str(device.device_id)},
        )
        await rotated.handler(context, announced.to_payload())
        async with context.db.tenant_tx(owner) as tx:
            assert not await find_clone(tx, owner, known, context.clock.now())
        after = (await client("owner").get(f"/devices/{device.wire_id}")).json()
        assert not {"clone_suspected", "clone_suspected_since"} & after.keys()
        for socket in sockets:
            await socket.close()


async def test_a_device_that_comes_back_after_its_network_died_is_no_clone(
    hub: Running, device: Registered
) -> None:
    """The old connection answers nothing; that may happen as often as it likes."""
    sockets = []
    for _ in range(6):
        socket = await hub.open()
        sockets.append(socket)
        client = Client(socket)
        await client.send(type="connect", device_id=device.wire_id, api_key=device.key, version="1.0.0")
        assert (await client.receive())["type"] == "connected"
        socket.transport.pause_reading()  # the path is dead: no byte comes, no close is answered
    for socket in sockets:
        socket.transport.abort()


async def test_a_browser_is_refused(hub: Running) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://127.0.0.1:{hub.port}/tunnel", origin=Origin("https://evil.example"), proxy=None)
    assert caught.value.response.status_code == 403


async def test_a_noisy_device_is_told_and_closed_and_no_other(
    hub: Running, device: Registered, register: Callable[[], Awaitable[Registered]]
) -> None:
    quiet = await register()
    async with hub.client(quiet) as other, hub.client(device, capabilities=["x"], boot_id="b") as noisy:
        with suppress(ConnectionClosed):
            for _ in range(400):
                await noisy.send(type="ping")
        said = {"type": "pong"}
        while said["type"] == "pong":
            said = await noisy.receive()
        assert (said["type"], said["code"]) == ("error", "rate_limited")
        assert await noisy.closed() == 4429
        await other.send(type="ping")
        assert (await other.receive())["type"] == "pong"


async def test_malformed_frames_do_not_end_the_connection(hub: Running, device: Registered) -> None:
    async with hub.client(device, capabilities=["x"], boot_id="b") as client:
        for text, code in (
            ("nonsense", "not_json"),
            ("[]", "not_an_object"),
            ('{"type":"selfdestruct"}', "unknown_type"),
            ('{"type":"telemetry","sequence":"x"}', "wrong_field"),
            ('{"type":"telemetry","boot_id":"b","sequence":1}', "not_negotiated"),
            ('{"type":"connect"}', "already_connected"),
            ("[" * 40 + "]" * 40, "frame_too_deep"),
        ):
            await client.socket.send(text)
            said = await client.receive()
            assert (said["type"], said["code"]) == ("error", code)
        await client.socket.send('{"type":"command","id":"c1","action":"health_check","payload":[]}')
        said = await client.receive()
        assert (said["type"], said["id"], said["status"]) == ("response", "c1", "error")


async def test_a_device_may_ask(hub: Running, device: Registered) -> None:
    async with hub.client(device) as client:
        await client.send(type="command", id="cmd-1", action="health_check")
        said = await client.receive()
        assert (said["id"], said["status"], said["data"]["status"]) == ("cmd-1", "success", "healthy")
        await client.send(type="command", id="cmd-2", action="make_coffee")
        said = await client.receive()
        assert (said["id"], said["status"]) == ("cmd-2", "error")
        assert "make_coffee" in said["error"]


async def test_restart_says_1012_and_marks_offline(
    context: Context, device: Registered, status_of: Status
) -> None:
    async with running(context) as hub:
        socket = await hub.open()
        client = Client(socket)
        await client.send(type="connect", device_id=device.wire_id, api_key=device.key, version="1.0.0")
        await client.receive()
        closing = asyncio.create_task(client.closed())
    assert await closing == 1012
    assert await status_of(device.device_id) == "offline"


async def test_drain_is_told_to_those_who_negotiated(context: Context, device: Registered) -> None:
    async with running(context, drain_seconds=5.0) as hub:
        socket = await hub.open()
        client = Client(socket)
        await client.send(
            type="connect", device_id=device.wire_id, api_key=device.key, capabilities=["x"], boot_id="b"
        )
        await client.receive()

        async def obey() -> dict[str, object]:
            said = await client.receive()
            await socket.close()
            return said

        obeying = asyncio.create_task(obey())
        began = time.monotonic()
    assert await obeying == {"type": "drain", "within": 5.0}
    assert time.monotonic() - began < 4  # nobody is left: it does not wait any longer


async def test_a_revoked_key_ends_the_tunnel(
    hub: Running, context: Context, owner: Principal, device: Registered
) -> None:
    async with hub.client(device, capabilities=["x"], boot_id="b") as client:
        await check_key(context.bus, device.device_id)
        await client.send(type="ping")
        assert (await client.receive())["type"] == "pong"  # a key that is good stays good
        async with context.db.tenant_tx(owner) as tx:
            await devices.rotate_key(tx, owner, device.device_id)
        await check_key(context.bus, device.device_id)
        error, code = await client.refusal()
        assert (code, error["code"]) == (4401, "key_revoked")


async def test_rotation_and_removal_reach_the_tunnel_as_events(
    context: Context, owner: Principal, device: Registered, register: Callable[[], Awaitable[Registered]]
) -> None:
    other = await register()
    jobs = {reaction.event: reaction.job for reaction in TUNNEL.reactions}

    async def react(name: str, about: Registered) -> None:
        announced = Announced(
            event_id=ids.new(),
            tenant_id=owner.tenant_id,
            name=name,
            version=1,
            occurred_at=context.clock.now(),
            payload={"device_id": str(about.device_id)},
        )
        await jobs[name].handler(context, announced.to_payload())

    async with running(context) as hub, hub.client(device) as one, hub.client(other) as two:
        async with context.db.tenant_tx(owner) as tx:
            await devices.rotate_key(tx, owner, device.device_id)
            await devices.delete_device(tx, owner, other.device_id)
        await react("device.key_rotated", device)
        assert await one.closed() == 4401
        await react("device.deleted", other)
        assert await two.closed() == 4401


async def test_devices_of_a_dead_hub_are_found(
    context: Context, device: Registered, status_of: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = next(schedule.job for schedule in TUNNEL.schedules)
    async with running(context) as hub, hub.client(device):
        await silent.handler(context, {})
        assert await status_of(device.device_id) == "online"
        later = replace(context, clock=SetClock(context.clock.now() + SILENCE + timedelta(seconds=1)))
        await silent.handler(later, {})
        assert await status_of(device.device_id) == "online", "the clock was set: nobody is given up for that"
        monkeypatch.setattr(
            jobs, "STEPS", jobs.ClockSteps()
        )  # time that went by, for a worker that saw no step
        await silent.handler(later, {})
        assert await status_of(device.device_id) == "offline"


async def test_without_valkey_devices_still_come_in(context: Context, device: Registered) -> None:
    nowhere = Bus("redis://127.0.0.1:1/0", deadline=0.2)
    async with running(replace(context, bus=nowhere)) as hub, hub.client(device) as client:
        await client.send(type="ping")
        assert (await client.receive())["type"] == "pong"
        assert await signal_device(nowhere, device.device_id, "no such signal"), "the hub is in this process"
    await nowhere.close()


async def test_without_postgresql_newcomers_wait_and_those_who_are_in_stay(
    context: Context, device: Registered, register: Callable[[], Awaitable[Registered]]
) -> None:
    newcomer = await register()
    async with running(context) as hub, hub.client(device) as client:
        await context.db.close()
        try:
            async with hub.client() as other:
                hello = {"device_id": newcomer.wire_id, "api_key": newcomer.key, "capabilities": ["x"]}
                await other.send(type="connect", boot_id="b", **hello)
                error, code = await other.refusal()
            assert (code, error["code"]) == (1013, "unavailable")
            assert error["retry_after"] >= 2
            await client.send(type="ping")
            assert (await client.receive())["type"] == "pong"
        finally:
            await context.db.open()
