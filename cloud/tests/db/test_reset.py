"""Nothing of a transaction is left on its connection for the next one who takes it, however it ended."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress

import asyncpg
import pytest

from cloud.tests.conftest import make_principal
from edgeflow_cloud.infra import db
from edgeflow_cloud.infra.db import GUARD_FAILED, Database, GuardFailed

LEFT = """
select current_setting('work_mem') = '77kB' as setting, exists (
    select from pg_locks where locktype = 'advisory' and objid = 4711 and pid = pg_backend_pid()
) as lock, coalesce(current_setting('app.tenant_id', true), '') <> '' as tenant, pg_backend_pid() as pid
"""


@pytest.fixture
async def one(database_url: str) -> AsyncIterator[Database]:
    """A Database whose every transaction of people takes the same connection."""
    database = Database(database_url, size=1)
    await database.open()
    yield database
    await database.close()


async def leave(database: Database, *, guard: str = "", fail: str = "") -> int:
    """A transaction that sets and locks for its whole session, then ends well or badly. Its connection's pid."""
    async with database.tenant_tx(make_principal(), guard=guard) as tx:
        await tx.execute("set work_mem = '77kB'")
        await tx.execute("select pg_advisory_lock(4711)")
        pid = await tx.fetchval("select pg_backend_pid()")
        if fail:
            await tx.execute(fail)
    return int(pid)


async def assert_clean(database: Database) -> int:
    async with database.lookup() as tx:
        row = await tx.fetchrow(LEFT)
    assert row is not None and (row["setting"], row["lock"], row["tenant"]) == (False, False, False)
    return int(row["pid"])


async def test_nothing_is_left_after_a_commit(one: Database) -> None:
    assert await leave(one) == await assert_clean(one)


async def test_nothing_is_left_after_a_failure(one: Database) -> None:
    with suppress(asyncpg.PostgresError):
        await leave(one, fail="select 1 / 0")
    await assert_clean(one)


async def test_nothing_is_left_after_a_guard_that_failed(one: Database) -> None:
    refusal = f"do $$ begin raise sqlstate '{GUARD_FAILED}'; end $$"
    with pytest.raises(GuardFailed):
        await leave(one, guard=refusal)
    await assert_clean(one)


async def test_nothing_is_left_after_a_commit_that_failed(one: Database) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await leave(one, guard="select 1 / 0")
    await assert_clean(one)


SLOW = "select pg_sleep(0.3)"
"""A guard that goes out in one message with the commit, which is therefore not done before."""


@pytest.fixture
async def said() -> AsyncIterator[list[str]]:
    """What the event loop is told that nobody waits for: asyncpg says here that a transaction was left open."""
    loop, heard = asyncio.get_running_loop(), list[str]()
    loop.set_exception_handler(lambda _, context: heard.append(str(context["message"])))
    yield heard
    loop.set_exception_handler(None)


async def cancel(work: Awaitable[object], *after: float) -> None:
    """Cancel it once or more often, each time after so many seconds."""
    task = asyncio.ensure_future(work)
    for seconds in after:
        await asyncio.sleep(seconds)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def enter(database: Database, begin: str) -> None:
    """A transaction whose begin takes a while."""
    async with db._transaction(database._app, begin) as tx:
        await tx.fetchval("select 1")


async def test_a_begin_that_is_cancelled_leaves_no_transaction_open(one: Database, said: list[str]) -> None:
    before = await assert_clean(one)
    await cancel(enter(one, f"begin; set local app.tenant_id = 'x'; {SLOW}"), 0.05)
    assert await assert_clean(one) == before
    assert said == []


async def test_a_begin_that_fails_leaves_no_transaction_open(one: Database, said: list[str]) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await enter(one, "begin; select 1 / 0")
    await assert_clean(one)
    assert said == []


async def test_a_commit_that_is_cancelled_leaves_no_transaction_open(one: Database, said: list[str]) -> None:
    await cancel(leave(one, guard=SLOW), 0.1)
    await assert_clean(one)
    assert said == []


async def test_a_commit_that_fails_leaves_no_transaction_open(one: Database, said: list[str]) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await leave(one, guard="select 1 / 0")
    await assert_clean(one)
    assert said == []


async def test_who_is_cancelled_again_while_it_undoes_still_undoes(one: Database, said: list[str]) -> None:
    before = await assert_clean(one)
    await cancel(leave(one, fail=SLOW), 0.1, 0, 0, 0)
    assert await assert_clean(one) == before  # it was not dropped
    assert said == []


async def test_cancelled_anywhere_nothing_is_left(one: Database, said: list[str]) -> None:
    dice = random.Random(3)
    for _ in range(150):
        task = asyncio.ensure_future(leave(one))
        await asyncio.sleep(dice.expovariate(1 / 0.0006))
        task.cancel()
        await asyncio.wait({task})
        await assert_clean(one)
    assert said == []
