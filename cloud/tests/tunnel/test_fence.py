"""The fence: what a device sent over a connection that has a successor is not written, however late it is read.

Hub A is deaf here: it hears nothing of the takeover and notices no standstill, so only the fence is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cloud.tests.tunnel.conftest import Client, Registered, Running, running, until
from edgeflow_cloud import devices
from edgeflow_cloud.commands.device import DEVICE_SIDE as COMMANDS
from edgeflow_cloud.commands.execution import run_command
from edgeflow_cloud.commands.model import Order
from edgeflow_cloud.commands.service import find_command
from edgeflow_cloud.devices import Fence, presence
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import GuardFailed
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.shadows.device import DEVICE_SIDE as SHADOWS
from edgeflow_cloud.telemetry.device import DEVICE_SIDE as TELEMETRY
from edgeflow_cloud.tunnel import Superseded

SIDES = (COMMANDS, SHADOWS, TELEMETRY)
HELLO: dict[str, Any] = {"capabilities": ["telemetry", "shadow"], "boot_id": "b"}
SAMPLE = {"time": "2026-11-24T05:46:07Z", "cpu_percent": 1.0}


@dataclass
class Hubs:
    """A and B, in two processes as far as their buses know."""

    a: Running
    b: Running


@pytest.fixture
async def hubs(context: Context, other_bus: Bus) -> AsyncIterator[Hubs]:
    async with (
        running(context, *SIDES) as a,
        running(replace(context, bus=other_bus), *SIDES) as b,
    ):

        def deaf(device_id: DeviceId, epoch: int) -> None:
            """Takes no news of other hubs."""

        a.hub.replace = deaf
        a.hub.suspect = lambda: None
        a.hub.presence._stale = lambda session, succeeded: None
        yield Hubs(a, b)


async def count(context: Context, table: str) -> int:
    async with context.db.system_tx("test") as tx:
        return await tx.fetchval(f"select count(*) from {table}")


async def read_on(client: Client, into: list[str]) -> None:
    """Note the types of all frames until the connection ends."""
    with suppress(Exception):
        while True:
            into.append((await client.receive())["type"])


async def test_samples_and_reports_over_the_old_connection_are_not_written(
    hubs: Hubs, context: Context, device: Registered
) -> None:
    async with hubs.a.client(device, **HELLO) as old, hubs.b.client(device, **HELLO) as new:
        heard: list[str] = []
        listening = asyncio.create_task(read_on(old, heard))
        await old.send(type="telemetry", boot_id="b", sequence=1, samples=[SAMPLE])
        await old.send(type="shadow_reported", id="r", reported={"a": "stale"})
        await old.send(type="command", id="c", action="update_reported", payload={"reported": {"b": "stale"}})
        await new.send(type="telemetry", boot_id="b", sequence=1, samples=[SAMPLE])
        assert (await new.receive())["type"] == "ack"
        await new.send(type="shadow_reported", id="r", reported={"a": "fresh"})
        assert await new.receive() == {"type": "shadow_accepted", "id": "r", "version": 1}
        await old.send(type="ping")
        await until(lambda: "pong" in heard)
        await asyncio.sleep(0.3)
        assert heard == ["pong"], "nothing is acknowledged"
        assert await count(context, "system_samples") == 1
        listening.cancel()


async def test_a_flush_goes_on_without_those_who_are_stale(
    hubs: Hubs, context: Context, device: Registered, owner: Principal
) -> None:
    async with context.db.tenant_tx(owner) as tx:
        other, key = await devices.create_device(tx, owner, name="another")
    neighbour = Registered(other.device_id, key)
    async with (
        hubs.a.client(device, **HELLO) as old,
        hubs.a.client(neighbour, **HELLO) as still,
        hubs.b.client(device, **HELLO),
    ):
        for sequence in range(1, 6):
            await old.send(type="telemetry", boot_id="b", sequence=sequence, samples=[SAMPLE])
            await still.send(type="telemetry", boot_id="b", sequence=sequence, samples=[SAMPLE])
        for sequence in range(1, 6):
            assert (await still.receive())["sequence"] == sequence
        assert await count(context, "system_samples") == 5


async def test_an_answer_over_the_old_connection_is_not_the_commands_result(
    hubs: Hubs, context: Context, device: Registered, owner: Principal
) -> None:
    async with hubs.a.client(device, **HELLO) as old:
        order = Order(device_id=device.device_id, action="health_check", payload={}, timeout=20.0, ttl=None)
        command = await run_command(context, owner, order, wait=0)
        asked = await old.receive()
        assert asked["id"] == command.wire_id
        async with hubs.b.client(device, **HELLO) as new:
            assert (await new.receive())["id"] == command.wire_id, "it is sent again where the device is now"
            await old.send(type="response", id=command.wire_id, status="success", data={"over": "old"})
            await asyncio.sleep(0.3)
            async with context.db.tenant_tx(owner) as tx:
                assert (await find_command(tx, owner, command.id)).status == "sent"
            await new.send(type="response", id=command.wire_id, status="success", data={"over": "new"})
            async with asyncio.timeout(5):
                while True:
                    async with context.db.tenant_tx(owner) as tx:
                        found = await find_command(tx, owner, command.id)
                    if found.is_final:
                        break
                    await asyncio.sleep(0.02)
            assert found.result == {"over": "new"}


async def test_a_stale_hub_takes_no_command_from_the_queue(
    hubs: Hubs, context: Context, device: Registered, owner: Principal
) -> None:
    async with hubs.a.client(device, **HELLO), hubs.b.client(device, **HELLO):
        session = hubs.a.hub.sessions[device.device_id]
        with pytest.raises(Superseded):
            async with session.transaction() as tx:
                await tx.execute("update devices set notes = 'taken'")
        assert await count(context, "devices where notes = 'taken'") == 0


async def test_a_hub_that_stands_still_inside_a_transaction_commits_nothing_later(
    hubs: Hubs, context: Context, device: Registered
) -> None:
    """The device moves on between the hub's last statement and its commit."""
    async with hubs.a.client(device, **HELLO):
        session = hubs.a.hub.sessions[device.device_id]
        with pytest.raises(Superseded):
            async with session.transaction() as tx:
                await tx.execute("update devices set notes = 'late'")
                async with hubs.b.client(device, **HELLO):
                    pass
        assert await count(context, "devices where notes = 'late'") == 0
        async with context.db.system_tx("the connection that was refused is whole") as tx:
            assert await tx.fetchval("select 1") == 1


async def test_the_stale_session_is_ended_with_the_reason(context: Context, device: Registered) -> None:
    async with running(context, *SIDES) as one, running(context, *SIDES) as two:
        one.hub.replace = lambda device_id, epoch: None
        async with one.client(device, **HELLO) as old, two.client(device, **HELLO):
            await old.send(type="shadow_reported", id="r", reported={"a": 1})
            error, code = await old.refusal()
            assert (error["code"], code) == ("replaced", 4409)


async def test_a_guard_over_many_connections(context: Context, device: Registered, owner: Principal) -> None:
    current = Fence(owner.tenant_id, device.device_id, 0)
    async with context.db.ingest_tx(guard=presence.guard([current])):
        pass
    stale = current._replace(epoch=1)
    with pytest.raises(GuardFailed):
        async with context.db.ingest_tx(guard=presence.guard([current, stale])):
            pass
    async with context.db.ingest_tx() as tx:
        assert await presence.list_current(tx, [current, stale]) == {current}
