"""One migrated database for all checks that ask PostgreSQL; what a test makes in it is rolled back."""

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from edgeflow_cloud.infra.db import PgConnection

TEMPLATE = "edgeflow_template"
"""The migrated database that cloud/tests/conftest.py makes once a run."""


@pytest.fixture(scope="session")
async def schema_url(stack: dict[str, str]) -> AsyncIterator[str]:
    """A copy of the template: connecting to the template itself would keep other tests from cloning it."""
    name = f"schema_{uuid.uuid4().hex}"
    server = await asyncpg.connect(stack["database"])
    try:
        await server.execute(f"create database {name} template {TEMPLATE}")
        yield make_url(stack["database"]).set(database=name).render_as_string(hide_password=False)
        await server.execute(f"drop database if exists {name} with (force)")
    finally:
        await server.close()


@pytest.fixture
async def connection(schema_url: str) -> AsyncIterator[PgConnection]:
    """The owner's connection to the migrated schema, in a transaction that is rolled back."""
    connection = await asyncpg.connect(schema_url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()
