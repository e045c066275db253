"""Drill `tenant-hop`: many organizations through one connection, cancelled anywhere: nobody meets another's row.

2,000 operations here; EDGEFLOW_TENANT_HOPS=20000 is the full number. EDGEFLOW_SEED repeats a run.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import asyncpg
import httpx2 as httpx
import pytest

from cloud.tests.conftest import make_principal
from edgeflow_cloud import audit, devices
from edgeflow_cloud.app.api import create_api
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.kernel.principal import Principal

HOPS = int(os.environ.get("EDGEFLOW_TENANT_HOPS", "2000"))
SEED = int(os.environ.get("EDGEFLOW_SEED", "1"))
TENANTS, RUNNERS = 5, 12


class Leak(AssertionError):
    """A row, a setting or an answer of another organization was seen."""


class Hop:
    """Operations as random organizations; what they see is checked on the spot."""

    def __init__(self, db: Database, api: httpx.AsyncClient, known: dict[str, Principal]) -> None:
        self._db = db
        self._api = api
        self._tenants = list(known.items())
        self._dice = random.Random(SEED)
        self.left = HOPS
        self.done: Counter[str] = Counter()

    async def run(self) -> None:
        operations: list[Callable[[str, Principal], Awaitable[None]]] = [
            self.read, self.read, self.write, self.ask, self.ask, self.look, self.fail, self.linger, self.break_sql,
        ]  # fmt: skip
        while self.left > 0:
            self.left -= 1
            operation = self._dice.choice(operations)
            word, principal = self._dice.choice(self._tenants)
            name = operation.__name__
            if self._dice.random() < 0.4:
                name += " cancelled"
                await self._cancelled(operation(word, principal), self._dice.expovariate(1 / 0.004))
            else:
                with suppress(Unavailable, ZeroDivisionError):
                    await operation(word, principal)
            self.done[name] += 1

    async def _cancelled(self, work: Awaitable[None], after: float) -> None:
        task = asyncio.ensure_future(work)
        await asyncio.sleep(after)
        task.cancel()
        with suppress(asyncio.CancelledError, Unavailable, ZeroDivisionError):
            await task

    async def read(self, word: str, principal: Principal) -> None:
        """Everything of a table, without any WHERE."""
        async with self._db.tenant_tx(principal) as tx:
            rows = await tx.fetch("select tenant_id, name, current_tenant() as current from devices")
            entries = await tx.fetch("select distinct tenant_id from audit_entries")
        for row in rows:
            if (row["tenant_id"], row["current"]) != (principal.tenant_id, principal.tenant_id):
                raise Leak(f"{word} reads {row}")
            if row["name"].split()[0] != word:
                raise Leak(f"{word} reads a device of {row['name']}")
        if {row["tenant_id"] for row in entries} - {principal.tenant_id}:
            raise Leak(f"{word} reads entries of another")

    async def write(self, word: str, principal: Principal) -> None:
        async with self._db.tenant_tx(principal) as tx:
            await devices.create_device(tx, principal, name=f"{word} device")

    async def ask(self, word: str, principal: Principal) -> None:
        """The same over HTTP."""
        answer = await self._api.get("/devices?limit=200", headers={"authorization": f"Bearer {word}"})
        if answer.status_code == 503:
            raise Unavailable("a pool of one")
        assert answer.status_code == 200, answer.text
        if {item["name"].split()[0] for item in answer.json()["items"]} - {word}:
            raise Leak(f"{word} is answered {answer.text}")

    async def look(self, word: str, principal: Principal) -> None:
        """Without an organization nothing is seen, whoever used the connection before."""
        async with self._db.lookup() as tx:
            seen = await tx.fetchrow(
                "select current_tenant() as current, (select count(*) from devices) as devices"
            )
        assert seen is not None
        if seen["current"] is not None or seen["devices"]:
            raise Leak(f"a look-up sees {seen}")

    async def fail(self, word: str, principal: Principal) -> None:
        """What is written before an error was never there."""
        async with self._db.tenant_tx(principal) as tx:
            await devices.create_device(tx, principal, name=f"{word} never")
            raise ZeroDivisionError

    async def break_sql(self, word: str, principal: Principal) -> None:
        """An error in the database, then on with the same connection."""
        with suppress(asyncpg.PostgresError):
            async with self._db.tenant_tx(principal) as tx:
                await tx.execute("select 1 / (select count(*) from users where false)")

    async def linger(self, word: str, principal: Principal) -> None:
        """Hold the connection for a moment in the middle of it."""
        async with self._db.tenant_tx(principal) as tx:
            await tx.fetchval("select pg_sleep(0.002)")
            await audit.record(tx, principal, "device.update", "device", word)
            await asyncio.sleep(0.001)
            current = await tx.fetchval("select current_tenant()")
        if current != principal.tenant_id:
            raise Leak(f"{word} became {current}")


@pytest.fixture
async def hop(context: Context, database_url: str) -> AsyncIterator[Hop]:
    """Five organizations, one connection, the API on it."""
    known = {f"tenant{number}": make_principal() for number in range(TENANTS)}
    db = Database(database_url, size=1)
    await db.open()

    async def authenticate(_: Context, connection: object) -> Principal | None:
        return known.get(connection.headers["authorization"].removeprefix("Bearer "))  # pyright: ignore

    api = create_api(replace(context, db=db, authenticate=authenticate, meter=None), SUBSYSTEMS)
    transport = httpx.ASGITransport(app=api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://cloud.test/api/v1") as client:
        yield Hop(db, client, known)
    await db.close()


@pytest.mark.timeout(900)
async def test_nobody_meets_another_through_one_connection(hop: Hop, database_url: str) -> None:
    async with asyncio.TaskGroup() as tasks:
        for _ in range(RUNNERS):
            tasks.create_task(hop.run())
    assert sum(hop.done.values()) >= HOPS
    assert min(hop.done.values()) > HOPS / 200, hop.done
    server = await asyncpg.connect(database_url)
    try:
        rows = await server.fetch("select tenant_id, name from devices")
        owners: dict[str, set[TenantId]] = {}
        for row in rows:
            owners.setdefault(row["name"], set()).add(row["tenant_id"])
        assert len(owners) == TENANTS  # none is called "never"
        assert all(len(tenants) == 1 for tenants in owners.values())
    finally:
        await server.close()


async def test_a_leak_would_be_seen(hop: Hop, database_url: str) -> None:
    """The mutant: row-level security off."""
    server = await asyncpg.connect(database_url)
    try:
        await server.execute("alter table devices disable row level security")
    finally:
        await server.close()
    hop.left = 200
    with pytest.raises(ExceptionGroup, match="unhandled errors") as caught:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hop.run())
    assert caught.group_contains(Leak)
