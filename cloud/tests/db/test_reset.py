"""Nothing of a transaction is left on its connection for the next one who takes it, however it ended."""

from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

from cloud.tests.conftest import make_principal
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
