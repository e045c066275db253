"""A look past every policy."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal, Role


@pytest.fixture(autouse=True)
def _people(known: dict[str, Principal], owner: Principal) -> None:
    """A viewer who sees flows, and a member who changes them."""
    known["viewer"] = replace(owner, permissions=frozenset({"flows:view"}), role=Role.VIEWER, id=ids.new())
    known["member"] = replace(
        owner, permissions=frozenset({"flows:view", "flows:manage"}), role=Role.MEMBER, id=ids.new()
    )


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A superuser's connection: sees every row."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
