"""The migrated schema, for checks that ask PostgreSQL; what a test makes in it is rolled back."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from edgeflow_cloud.infra.db import PgConnection


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[PgConnection]:
    """The owner's connection to a migrated database, in a transaction that is rolled back."""
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()
