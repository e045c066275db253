"""PostgreSQL is killed with -9 while data flows: what was acknowledged is there, once; jobs and events go on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest

from cloud.tests.telemetry.conftest import Peer, batch, sample
from edgeflow_cloud import devices
from edgeflow_cloud.devices.events import DeviceUpdated
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.embedded import Parts, start_for_tests
from edgeflow_cloud.infra.jobs import Job, JobRunner
from edgeflow_cloud.infra.migrate import migrate
from edgeflow_cloud.infra.outbox import Reaction, Relay, announce
from edgeflow_cloud.kernel.clock import SystemClock
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.kernel.principal import Principal

DEVICES, SENDING, KILLS = 6, 8.0, 2


@pytest.fixture
async def durable(tmp_path: Path) -> AsyncGenerator[tuple[Parts, Context]]:
    """A PostgreSQL of the test's own, with fsync as in production, and a Context on it."""
    stack = start_for_tests(tmp_path, wanted=("database", "valkey"), durable=True)
    parts = await asyncio.to_thread(stack.__enter__)
    await migrate(str(parts.database_url))
    db, bus = Database(str(parts.database_url)), Bus(str(parts.valkey_url))
    await db.open()
    await bus.start()
    yield parts, cast(Context, SimpleNamespace(db=db, bus=bus, clock=SystemClock()))
    await db.close()
    await bus.close()
    await asyncio.to_thread(stack.__exit__, None, None, None)


async def kill_database(parts: Parts) -> None:
    part = next(part for part in parts.parts if part.name == "database")
    assert part.child is not None
    await asyncio.to_thread(part.child.kill)
    await asyncio.to_thread(part.start, parts._abort)


@asynccontextmanager
async def working(context: Context, ran: list[object]) -> AsyncGenerator[None]:
    async def react(context: Context, payload: dict[str, object]) -> None:
        ran.append(payload["event_id"])

    job = Job(name="test.react", handler=react)
    stopping = asyncio.Event()
    relay = Relay(context.db, context.bus, [Reaction(event=DeviceUpdated.name, job=job)])
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run(stopping))
        group.create_task(JobRunner(context, [job], drain=5).run(stopping))
        yield
        stopping.set()


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_and_nothing_is_stored_twice(
    durable: tuple[Parts, Context], owner: Principal
) -> None:
    parts, context = durable
    async with context.db.tenant_tx(owner) as tx:
        made = [await devices.create_device(tx, owner, name=f"d{n}") for n in range(DEVICES)]
    acknowledged: dict[object, int] = {}
    announced: list[object] = []
    ran: list[object] = []
    until = asyncio.get_running_loop().time() + SENDING

    async def send(peer: Peer) -> None:
        """As an agent does: the next batch only after the acknowledgement, else the same again."""
        sequence = 1
        while asyncio.get_running_loop().time() < until:
            if await peer.send(batch(sequence, sample(1), sample(0))) is None:
                await asyncio.sleep(0.05)
                continue
            acknowledged[peer.device_id] = sequence
            sequence += 1

    async def change() -> None:
        while asyncio.get_running_loop().time() < until:
            try:
                async with context.db.tenant_tx(owner) as tx:
                    event = DeviceUpdated(tenant_id=owner.tenant_id, device_id=made[0][0].device_id)
                    (event_id,) = await announce(tx, event)
                announced.append(str(event_id))
            except (Unavailable, asyncpg.PostgresError, OSError):
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.02)

    async def kill() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(SENDING / (KILLS + 1))
            await kill_database(parts)

    async with working(context, ran):
        peers = [Peer(context, owner, device.device_id) for device, _ in made]
        await asyncio.gather(kill(), change(), *(send(peer) for peer in peers))
        async with asyncio.timeout(40):
            while not set(announced) <= set(ran):  # noqa: ASYNC110 - waits for jobs of the database
                await asyncio.sleep(0.1)

    rows = {}
    async with context.db.system_tx("test") as tx:
        for row in await tx.fetch(
            """
            select s.device_id, count(*) as stored, max(c.last_sequence) as position
            from system_samples s join telemetry_cursors c on c.device_id = s.device_id group by 1
            """
        ):
            rows[row["device_id"]] = row["stored"], row["position"]
    assert sum(acknowledged.values()) > 50
    for device_id, sequence in acknowledged.items():
        stored, position = rows[device_id]
        assert position in (sequence, sequence + 1)  # the last one's answer may have died on its way
        assert stored == 2 * position
