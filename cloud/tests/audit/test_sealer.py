"""Every committed entry comes into the chain: once, within a second, whoever is killed or late."""

import asyncio
import os
import signal
import sys
from contextlib import suppress

import asyncpg
import pytest

from cloud.tests.audit.conftest import seal_all, write
from edgeflow_cloud import audit
from edgeflow_cloud.audit import queries, sealer
from edgeflow_cloud.audit.sealer import run_sealer, seal_batch
from edgeflow_cloud.audit.verification import verify
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.principal import Principal


async def _all_sealed(context: Context, who: Principal) -> None:
    async with asyncio.timeout(15):
        while True:
            async with context.db.tenant_tx(who) as tx:
                if not (await queries.count_log(tx, who.tenant_id))["unsealed"]:
                    return
            await asyncio.sleep(0.02)


async def test_an_entry_is_sealed_within_a_second_of_its_commit(
    context: Context, db: Database, owner: Principal
) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(run_sealer(context, stopping))
    try:
        waits: list[float] = []
        for _ in range(5):
            await write(db, owner)
            began = asyncio.get_running_loop().time()
            await _all_sealed(context, owner)
            waits.append(asyncio.get_running_loop().time() - began)
        assert sorted(waits)[2] < 1.0, waits
    finally:
        stopping.set()
        await running
    report = await verify(context, owner)
    assert (report.ok, report.verified_to) == (True, 5)


async def test_entries_of_a_late_transaction_come_later_and_move_nothing(
    context: Context, db: Database, owner: Principal
) -> None:
    async with db.tenant_tx(owner) as tx:
        await audit.record(tx, owner, "device.late", "device", "dev_late")
        await write(db, owner, 3)
        assert await seal_all(context) == 3
        before = await verify(context, owner)
        assert (before.ok, before.verified_to, before.unsealed) == (True, 3, 0)
    assert await seal_all(context) == 1
    after = await verify(context, owner)
    assert (after.ok, after.verified_to) == (True, 4)
    async with db.tenant_tx(owner) as tx:
        rows = await queries.select_chain(tx, owner.tenant_id, 0, 10)
    assert [row["action"] for row in rows] == ["device.update"] * 3 + ["device.late"]
    assert rows[2]["hash"].hex() == before.head


async def test_what_is_rolled_back_was_never_there(context: Context, db: Database, owner: Principal) -> None:
    with suppress(ZeroDivisionError):
        async with db.tenant_tx(owner) as tx:
            await audit.record(tx, owner, "device.update", "device", "dev_1")
            raise ZeroDivisionError
    assert await seal_all(context) == 0


async def test_parallel_writers_and_sealers_make_one_whole_chain(
    context: Context, db: Database, owner: Principal, stranger: Principal
) -> None:
    stopping = asyncio.Event()
    sealers = [asyncio.create_task(run_sealer(context, stopping)) for _ in range(3)]
    try:
        await asyncio.gather(*(write(db, who, 25) for who in (owner, stranger) for _ in range(8)))
        for who in (owner, stranger):
            await _all_sealed(context, who)
    finally:
        stopping.set()
        await asyncio.gather(*sealers)
    for who in (owner, stranger):
        report = await verify(context, who)
        assert (report.ok, report.verified_to, report.unsealed) == (True, 200, 0)


async def test_one_sealer_at_a_time(context: Context, db: Database, owner: Principal) -> None:
    await write(db, owner)
    async with db.system_tx("another sealer") as tx:
        assert await queries.try_sealer_lock(tx)
        assert await seal_batch(context) == 0
    assert await seal_batch(context) == 1


async def test_a_sealer_that_fails_in_mid_batch_leaves_nothing_half_done(
    context: Context, db: Database, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(db, owner, 5)

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(sealer.queries, "delete_unsealed", fail)
        with pytest.raises(ZeroDivisionError):
            await seal_batch(context)
    report = await verify(context, owner)
    assert (report.ok, report.verified_to, report.unsealed) == (True, 0, 5)
    assert await seal_all(context) == 5
    assert (await verify(context, owner)).verified_to == 5


_SEALER = """
import asyncio, sys, types
from edgeflow_cloud.audit.sealer import run_sealer
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.clock import SystemClock

async def main():
    db = Database(sys.argv[1], size=2)
    await db.open()
    context = types.SimpleNamespace(db=db, clock=SystemClock())
    print("ready", flush=True)
    await run_sealer(context, asyncio.Event())

asyncio.run(main())
"""


async def test_killed_sealers_lose_and_double_nothing(
    context: Context, db: Database, owner: Principal, database_url: str
) -> None:
    """Two sealer processes are killed by -9 again and again while entries are written."""

    async def live_and_die(moment: float) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _SEALER, database_url, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
            await asyncio.sleep(moment)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()

    writing = asyncio.create_task(_write_for(db, owner, seconds=6))
    for moment in (0.01, 0.05, 0.15):
        await asyncio.gather(live_and_die(moment), live_and_die(moment * 2))
    written = await writing
    await asyncio.sleep(0.2)  # PostgreSQL notices that the killed are gone
    await seal_all(context)
    report = await verify(context, owner)
    assert (report.ok, report.verified_to, report.unsealed) == (True, written, 0)


async def _write_for(db: Database, owner: Principal, seconds: float) -> int:
    written, end = 0, asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        await write(db, owner, 20)
        written += 20
        await asyncio.sleep(0.01)
    return written


async def test_seals_and_checkpoints_refuse_every_change(
    context: Context, db: Database, owner: Principal, database_url: str
) -> None:
    await write(db, owner, 2)
    await seal_all(context)
    server = await asyncpg.connect(database_url)
    try:
        for statement in (
            "update audit_seals set hash = previous_hash",
            "delete from audit_seals",
            "truncate audit_seals",
            "update audit_entries set action = 'x'",
            "truncate audit_checkpoints",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await server.execute(statement)
    finally:
        await server.close()
    for statement in (
        "insert into audit_seals select tenant_id, 99, tenant_id, 1, hash, hash from audit_seals limit 1",
        "delete from audit_unsealed",
        "update audit_chains set sequence = 0",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.tenant_tx(owner) as tx:
                await tx.execute(statement)
