"""The promises under bad luck: connections lost at any moment, answers late, doubled, made up, or never sent."""

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from cloud.tests.commands.conftest import NEGOTIATES, Order, answering, ended
from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Client, Registered, Running, running
from edgeflow_cloud import commands
from edgeflow_cloud.commands import sending, service
from edgeflow_cloud.commands.device import DEVICE_SIDE
from edgeflow_cloud.commands.jobs import sweep
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.principal import Principal


class Unlucky:
    """A device that keeps its journal if it negotiated, and has every kind of accident."""

    def __init__(self, dice: random.Random, negotiates: bool) -> None:
        self.dice = dice
        self.negotiates = negotiates
        self.received: list[str] = []
        self.done: Counter[str] = Counter()
        self.journal: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def live(self, hub: Running, device: Registered) -> None:
        """Connect, work, have an accident, again and again."""
        while True:
            with suppress(ConnectionClosed, OSError):
                async with hub.client(device, **(NEGOTIATES if self.negotiates else {})) as client:
                    async for text in client.socket:
                        frame = json.loads(text)
                        if frame["type"] == "command" and not await self.work(client, frame):
                            break
            await asyncio.sleep(self.dice.uniform(0, 0.1))

    async def work(self, client: Client, frame: dict[str, Any]) -> bool:
        """Do what the frame says, at most once where there is a journal. False: the power goes."""
        luck, wire_id = self.dice.random(), frame["id"]
        self.received.append(wire_id)
        if luck < 0.08:
            return False
        if not (self.negotiates and wire_id in self.journal):
            self.done[wire_id] += 1
            self.journal.add(wire_id)
        if luck < 0.16:
            return False
        answer = {"type": "response", "id": wire_id, "status": "success", "data": wire_id}
        if luck < 0.24:
            task = asyncio.create_task(self.late(client, answer))
            self.tasks.add(task)
            return True
        if luck < 0.32:
            await client.send(**{**answer, "id": f"cmd_{'0' * 26}"})
        await client.send(**answer)
        if luck > 0.9:
            await client.send(**{**answer, "status": "error", "error": "once more, but different"})
        return True

    async def late(self, client: Client, answer: dict[str, Any]) -> None:
        await asyncio.sleep(1.1)
        with suppress(ConnectionClosed):
            await client.send(**answer)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("negotiates", [False, True])
async def test_at_most_once_first_come_first_served_one_final_state(
    client: Caller,
    hub: Running,
    device: Registered,
    order: Order,
    context: Context,
    seed: int,
    negotiates: bool,
) -> None:
    dice = random.Random(seed)
    unlucky = Unlucky(dice, negotiates)
    life = asyncio.create_task(unlucky.live(hub, device))
    made: list[dict[str, Any]] = []
    refused = 0
    try:
        for _ in range(40):
            answer = await order(
                "work",
                wait=dice.choice([0, 0, 0.2]),
                timeout=1,
                **({"ttl": 30} if dice.random() < 0.7 else {}),
            )
            if answer.status_code == 409:
                refused += 1
            else:
                assert answer.status_code in (200, 202), answer.text
                made.append(answer.json())
                if dice.random() < 0.1:
                    await client("owner").delete(f"/commands/{made[-1]['id']}")
            if dice.random() < 0.2:
                await sweep(context, {})
            await asyncio.sleep(dice.uniform(0, 0.08))
        await asyncio.sleep(1.5)
    finally:
        life.cancel()
        await asyncio.gather(life, *unlucky.tasks, return_exceptions=True)
    async with context.db.system_tx("test") as tx:
        await tx.execute("update commands set due_at = now() where due_at is not null")
    await asyncio.sleep(0.1)
    await sweep(context, {})

    async with context.db.system_tx("test") as tx:
        told = Counter(
            str(row["id"])
            for row in await tx.fetch(
                "select payload->>'command_id' as id from outbox where name = 'command.finished'"
            )
        )
    history = (
        await client("owner").get(f"/devices/{device.wire_id}/commands", params={"limit": 200})
    ).json()["items"]
    assert len(history) >= len(made)
    assert set(told.values()) == {1}
    assert len(told) == len(history)
    received = Counter(unlucky.received)
    for command in history:
        assert command["finished_at"] is not None
        assert unlucky.done[command["id"]] <= 1, "done twice"
        if not negotiates:
            assert received[command["id"]] <= 1, "sent twice to a client without a journal"
        if command["status"] == "done":
            assert command["result"] == command["id"]
            assert unlucky.done[command["id"]] == 1
        if command["status"] in ("expired", "cancelled") or "nothing was done" in (command["error"] or ""):
            assert received[command["id"]] == 0, command
    first_sight = list(dict.fromkeys(unlucky.received))
    assert first_sight == sorted(first_sight), "not in the order in which they were given"
    statuses = Counter(command["status"] for command in history)
    assert statuses["done"] > 10, statuses
    assert negotiates or statuses["unknown"] > 0, statuses


async def test_without_valkey_the_hub_of_the_same_process_still_obeys(
    context: Context, device: Registered, known: dict[str, Any]
) -> None:
    from dataclasses import replace

    from edgeflow_cloud.commands import Order, run_command
    from edgeflow_cloud.infra.limits import Limits

    bus = Bus("redis://127.0.0.1:1/0", deadline=0.2)
    alone = replace(context, bus=bus, limits=Limits(bus))
    order = Order(device_id=device.device_id, action="echo", payload={"n": 1})
    async with (
        running(alone, DEVICE_SIDE) as hub,
        hub.client(device, **NEGOTIATES) as socket,
        answering(socket),
    ):
        command = await run_command(alone, known["owner"], order, wait=5)
        assert (command.status, command.result) == ("done", {"n": 1})
    await bus.close()


async def test_what_an_api_that_died_left_behind_comes_first(
    client: Caller,
    hub: Running,
    device: Registered,
    order: Order,
    context: Context,
    owner: Principal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It committed a command as sent, and never passed it on: later ones wait until that is certain."""
    monkeypatch.setattr(sending, "IN_TRANSIT", timedelta(seconds=0.3))
    async with hub.client(device, **NEGOTIATES) as socket:
        async with context.db.tenant_tx(owner) as tx:
            left = commands.Order(device_id=device.device_id, action="first", payload={}, timeout=20)
            await service.create_command(tx, owner, left, now=context.clock.now())
        await order("second", wait=0)
        frames = [await socket.receive(), await socket.receive()]
    assert [frame["action"] for frame in frames] == ["first", "second"]


async def test_what_nobody_can_vouch_for_is_unknown_before_the_next(
    client: Caller,
    hub: Running,
    device: Registered,
    order: Order,
    context: Context,
    owner: Principal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same with a client that keeps no journal: it may have had the command from a hub that is gone."""
    monkeypatch.setattr(sending, "IN_TRANSIT", timedelta(seconds=0.3))
    async with hub.client(device) as socket:
        async with context.db.tenant_tx(owner) as tx:
            left = commands.Order(device_id=device.device_id, action="first", payload={}, timeout=20)
            made, _ = await service.create_command(tx, owner, left, now=context.clock.now())
        await order("second", wait=0)
        assert (await socket.receive())["action"] == "second"
    await ended(client, {"id": made.wire_id}, "unknown")
