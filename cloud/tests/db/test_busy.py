"""A database that is there and cannot do it now is `Unavailable`, as one that is away: nobody may take it for "never".

Found by `edgeflow-cloud drill split-brain` (a report without an answer) and `drill rolling` (a bare 500).
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from edgeflow_cloud.infra import db as module
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.errors import Unavailable


@pytest.fixture
async def hasty(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database whose statements and idle transactions end soon."""
    monkeypatch.setattr(module, "STATEMENT_TIMEOUT_MS", 300)
    monkeypatch.setattr(module, "IDLE_LIMIT_MS", dict.fromkeys(module.IDLE_LIMIT_MS, 300))
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()


async def test_a_statement_that_takes_too_long(hasty: Database) -> None:
    with pytest.raises(Unavailable, match="too long"):
        async with hasty.system_tx("test") as tx:
            await tx.execute("select pg_sleep(5)")
    async with hasty.system_tx("test") as tx:  # the pool is as good as before
        assert await tx.fetchval("select 1") == 1


async def test_a_transaction_that_stood_still(hasty: Database) -> None:
    with pytest.raises(Unavailable):
        async with hasty.system_tx("test") as tx:
            await tx.fetchval("select 1")
            await asyncio.sleep(0.8)
            await tx.fetchval("select 1")


def test_two_in_line_give_their_locks_back_before_a_waiting_statement_ends() -> None:
    assert all(2 * limit < module.STATEMENT_TIMEOUT_MS for limit in module.IDLE_LIMIT_MS.values())
