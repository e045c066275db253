"""A log with entries in it, the sealer by hand, and somebody who rules the database."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from edgeflow_cloud import audit
from edgeflow_cloud.audit.sealer import seal_batch
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.principal import Principal


async def write(db: Database, principal: Principal, count: int = 1, action: str = "device.update") -> None:
    """`count` entries, each in a transaction of its own, numbered in their values."""
    for number in range(count):
        async with db.tenant_tx(principal) as tx:
            await audit.record(
                tx,
                principal,
                action,
                "device",
                f"dev_{number}",
                old={"number": number, "ratio": 1.50, "text": "é\u2028\\"},
                new={"number": number + 1, "nested": {"b": [1, None, True], "a": 10**30}},
            )


async def seal_all(context: Context) -> int:
    """Seal until nothing waits; answers how many entries were sealed."""
    sealed = 0
    while done := await seal_batch(context):
        sealed += done
    return sealed


@pytest.fixture
async def ruler(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection on which no trigger fires and no policy holds."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()
