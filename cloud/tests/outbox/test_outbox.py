"""Events leave a transaction if and only if it commits, once, in order, and soon."""

import asyncio
import statistics
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar

import msgspec
import pytest

from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.jobs import Job
from edgeflow_cloud.infra.outbox import Announced, Reaction, Relay, announce, live_channel
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.principal import Principal


@dataclass(frozen=True, kw_only=True)
class Painted(Event):
    name: ClassVar[str] = "fence.painted"
    board: int

    def changed(self) -> list[str]:
        return ["fences", f"fences/{self.board}"]


async def _nothing(context: Context, payload: dict[str, object]) -> None: ...


PAINT = Job(name="test.paint", handler=_nothing)
WATCH = Job(name="test.watch", handler=_nothing)
REACTIONS = (Reaction(event="fence.painted", job=PAINT), Reaction(event="*", job=WATCH))


@asynccontextmanager
async def running(relay: Relay) -> AsyncGenerator[None]:
    stopping = asyncio.Event()
    task = asyncio.create_task(relay.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(5):
            await task


async def queued(db: Database, job: Job) -> list[Announced]:
    async with db.system_tx("test") as tx:
        rows = await tx.fetch("select payload from jobs.pgqueuer where entrypoint = $1 order by id", job.name)
    return [Announced.from_payload(msgspec.json.decode(row["payload"])) for row in rows]


async def test_reactions_and_listeners_hear_in_order(db: Database, bus: Bus, owner: Principal) -> None:
    async with running(Relay(db, bus, REACTIONS)), bus.subscribe(live_channel(owner.tenant_id)) as live:
        async with db.tenant_tx(owner) as tx:
            made = await announce(tx, *(Painted(tenant_id=owner.tenant_id, board=n) for n in range(3)))
        async with asyncio.timeout(3):
            message = msgspec.json.decode((await anext(live)).data)
    assert message == {"changed": ["fences", "fences/0", "fences/1", "fences/2"]}
    heard = await queued(db, PAINT)
    assert [one.payload for one in heard] == [{"board": 0}, {"board": 1}, {"board": 2}]
    assert [one.event_id for one in heard] == made
    assert {one.tenant_id for one in heard} == {owner.tenant_id}
    assert len(await queued(db, WATCH)) == 3


async def test_what_is_rolled_back_was_never_said(db: Database, bus: Bus, owner: Principal) -> None:
    with suppress(RuntimeError):
        async with db.tenant_tx(owner) as tx:
            await announce(tx, Painted(tenant_id=owner.tenant_id, board=1))
            raise RuntimeError
    assert await Relay(db, bus, REACTIONS).relay_batch() == 0


async def test_nobody_announces_for_another_organization(
    db: Database, owner: Principal, stranger: Principal
) -> None:
    with pytest.raises(Exception, match="row-level security"):
        async with db.tenant_tx(owner) as tx:
            await announce(tx, Painted(tenant_id=stranger.tenant_id, board=1))
    with pytest.raises(Exception, match="permission denied"):
        async with db.tenant_tx(owner) as tx:
            await tx.fetch("select payload from outbox")


async def test_a_crash_of_the_relay_loses_and_doubles_nothing(
    db: Database, bus: Bus, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with db.tenant_tx(owner) as tx:
        await announce(tx, Painted(tenant_id=owner.tenant_id, board=7))
    relay = Relay(db, bus, REACTIONS)
    with monkeypatch.context() as patch:

        async def dies(*_: object) -> None:
            raise RuntimeError("killed after the jobs were enqueued")

        patch.setattr("edgeflow_cloud.infra.outbox.queries.mark_relayed", dies)
        with pytest.raises(RuntimeError):
            await relay.relay_batch()
    assert await queued(db, PAINT) == []
    await relay.relay_batch()
    assert await relay.relay_batch() == 0
    assert [one.payload for one in await queued(db, PAINT)] == [{"board": 7}]


async def test_many_relays_share_and_nothing_is_said_twice(db: Database, bus: Bus, owner: Principal) -> None:
    for start in range(0, 1500, 50):
        async with db.tenant_tx(owner) as tx:
            events = (Painted(tenant_id=owner.tenant_id, board=n) for n in range(start, start + 50))
            await announce(tx, *events)
    relays = [Relay(db, bus, REACTIONS) for _ in range(3)]
    for _ in range(3):
        await asyncio.gather(*(relay.relay_batch() for relay in relays))
    boards = [one.payload["board"] for one in await queued(db, PAINT)]
    assert sorted(boards) == list(range(1500))  # type: ignore[type-var]


async def test_the_relay_outlives_its_listening_connection(db: Database, bus: Bus, owner: Principal) -> None:
    async with running(Relay(db, bus, REACTIONS)), bus.subscribe(live_channel(owner.tenant_id)) as live:
        await asyncio.sleep(0.2)
        async with db.system_tx("test") as tx:
            pids = await tx.fetch("select pid from pg_stat_activity where query ilike 'listen %'")
        import asyncpg

        admin = await asyncpg.connect(db.url)
        for row in pids:
            await admin.execute("select pg_terminate_backend($1)", row["pid"])
        await admin.close()
        async with db.tenant_tx(owner) as tx:
            await announce(tx, Painted(tenant_id=owner.tenant_id, board=1))
        async with asyncio.timeout(4):
            await anext(live)


async def test_latency_is_small(db: Database, bus: Bus, owner: Principal) -> None:
    taken: list[float] = []
    clock = asyncio.get_running_loop().time
    async with running(Relay(db, bus, REACTIONS)), bus.subscribe(live_channel(owner.tenant_id)) as live:
        await asyncio.sleep(0.2)
        for number in range(20):
            started = clock()
            async with db.tenant_tx(owner) as tx:
                await announce(tx, Painted(tenant_id=owner.tenant_id, board=number))
            async with asyncio.timeout(3):
                await anext(live)
            taken.append(clock() - started)
    print(f"outbox latency: median {statistics.median(taken) * 1000:.1f} ms, max {max(taken) * 1000:.1f} ms")
    assert statistics.median(taken) < 0.5  # a bound against hanging on the poll, not a bench
