"""Many organizations through one connection, cancelled anywhere: nobody meets another's row."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any

import asyncpg

from edgeflow_cloud import audit, devices
from edgeflow_cloud.drills import CannotRun, Drill, Ground, Order, Report
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.tenant_drills import queries
from edgeflow_cloud.tenant_drills.inside import broken, make_owner, open_inside

_TENANTS, _RUNNERS = 5, 12
_CANCELLED = 0.4
Operation = Callable[[str, Principal], Awaitable[None]]


class _Undone(Exception):
    """What a transaction is rolled back with on purpose."""


class _Hops:
    """Operations as random organizations; what they see is checked on the spot."""

    def __init__(self, db: Database, dice: random.Random, hops: int) -> None:
        self._db = db
        self._dice = dice
        self._tenants = [(f"tenant{number}", make_owner()) for number in range(_TENANTS)]
        self._operations: Sequence[Operation] = (
            self._read, self._read, self._write, self._look, self._look, self._fail, self._linger, self._break,
        )  # fmt: skip
        self.left = hops
        self.done: Counter[str] = Counter()
        self.leaks: list[str] = []

    async def run(self) -> None:
        while self.left > 0:
            self.left -= 1
            operation = self._dice.choice(self._operations)
            work = operation(*self._dice.choice(self._tenants))
            cancelled = self._dice.random() < _CANCELLED
            with suppress(Unavailable, _Undone):
                if cancelled:
                    await self._cancel(work, self._dice.expovariate(1 / 0.004))
                else:
                    await work
            self.done["cancelled" if cancelled else "whole"] += 1

    async def _cancel(self, work: Awaitable[None], after: float) -> None:
        task = asyncio.ensure_future(work)
        await asyncio.sleep(after)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _read(self, word: str, principal: Principal) -> None:
        """Everything of a table, without any WHERE."""
        async with self._db.tenant_tx(principal) as tx:
            rows = await tx.fetch(queries.READ_ALL)
        for row in rows:
            if row["tenant_id"] != principal.tenant_id or row["name"].split()[0] != word:
                self.leaks.append(f"{word} reads {row['name']}")
            elif row["current"] != principal.tenant_id:
                self.leaks.append(f"{word} became {row['current']}")

    async def _write(self, word: str, principal: Principal) -> None:
        async with self._db.tenant_tx(principal) as tx:
            await devices.create_device(tx, principal, name=f"{word} device")

    async def _look(self, word: str, principal: Principal) -> None:
        """Without an organization nothing is seen, whoever had the connection before."""
        async with self._db.lookup() as tx:
            seen = await tx.fetchrow(queries.LOOK)
        if seen is not None and (seen["current"] is not None or seen["devices"]):
            self.leaks.append(f"a look-up sees {seen['devices']} devices as {seen['current']}")

    async def _fail(self, word: str, principal: Principal) -> None:
        """What is written before an error was never there."""
        async with self._db.tenant_tx(principal) as tx:
            await devices.create_device(tx, principal, name=f"{word} never")
            raise _Undone

    async def _break(self, word: str, principal: Principal) -> None:
        """An error in the database, then on with the same connection."""
        with suppress(asyncpg.PostgresError):
            async with self._db.tenant_tx(principal) as tx:
                await tx.execute(queries.BREAK)

    async def _linger(self, word: str, principal: Principal) -> None:
        """Hold the connection for a moment in the middle of it."""
        async with self._db.tenant_tx(principal) as tx:
            await tx.fetchval(queries.PAUSE)
            await audit.record(tx, principal, "device.update", "device", word)
            await asyncio.sleep(0.001)
            current = await tx.fetchval(queries.CURRENT)
        if current != principal.tenant_id:
            self.leaks.append(f"{word} became {current}")


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Hop; then ask the database itself whose rows there are."""
    database = await ground.make_database()
    try:
        if order.mutant == "no-rls":
            await ground.administer(queries.SHARE, database)
        async with open_inside(ground, database, size=1) as context:
            hops = _Hops(context.db, order.dice("hops"), order.devices)
            if order.mutant == "sticky":
                with (
                    broken("infra.db", "_RESET", "select 1"),
                    broken("infra.db", "Database.tenant_tx", _sticky),
                ):
                    await _hop(hops)
            else:
                await _hop(hops)
        report.fact("operations", sum(hops.done.values()))
        report.fact("of them cancelled", hops.done["cancelled"])
        report.check(
            not hops.leaks, f"nobody meets another's rows: {len(hops.leaks)} leaks, {hops.leaks[:3]}"
        )
        if min(hops.done["cancelled"], hops.done["whole"]) < order.devices // 10:
            raise CannotRun(f"The dice did not fall: {dict(hops.done)}")
        ruler = await asyncpg.connect(ground.database_url(database))
        try:
            owners = await queries.owners_by_name(ruler)
        finally:
            await ruler.close()
        names = {name: len(of) for name, of in owners.items()}
        report.check(
            len(names) == _TENANTS and set(names.values()) == {1},
            f"each organization's rows are its own, and none was undone and is there: {names}",
        )
    finally:
        await ground.drop_database(database)


@asynccontextmanager
async def _sticky(db: Any, principal: Principal, *, guard: str = "") -> AsyncGenerator[Any]:
    module: Any = import_module("edgeflow_cloud.infra.db")
    begin = f"begin; set app.tenant_id = '{principal.tenant_id}'"
    async with module._transaction(db._app, begin, guard) as tx:
        yield tx


async def _hop(hops: _Hops) -> None:
    async with asyncio.TaskGroup() as tasks:
        for _ in range(_RUNNERS):
            tasks.create_task(hops.run())


DRILL = Drill(
    name="tenant-hop",
    question="Does nobody meet another's rows on one connection, cancelled anywhere? (--devices: operations)",
    run=run,
    mutants={
        "no-rls": "devices without row-level security",
        "sticky": "the organization is set for the connection and not for the transaction",
    },
    seconds=1.0,
    devices=3_000,
)
