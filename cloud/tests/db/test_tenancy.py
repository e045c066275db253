"""Row-level security holds by itself, whatever a query forgets."""

import asyncio

import asyncpg
import pytest

from edgeflow_cloud import devices
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.principal import Principal


async def test_a_query_without_where_sees_only_its_own_organization(
    db: Database, owner: Principal, stranger: Principal
) -> None:
    for principal in (owner, stranger):
        async with db.tenant_tx(principal) as tx:
            await devices.create_device(tx, principal, name="x")
    async with db.tenant_tx(owner) as tx:
        assert [row["tenant_id"] for row in await tx.fetch("select tenant_id from devices")] == [
            owner.tenant_id
        ]
        assert await tx.execute("update devices set name = 'y'") == "UPDATE 1"
    async with db.lookup() as tx:
        assert await tx.fetchval("select count(*) from devices") == 0
    async with db.system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from devices") == 2


async def test_writing_into_another_organization_is_refused(
    db: Database, owner: Principal, stranger: Principal
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.tenant_tx(owner) as tx:
            await devices.create_device(tx, stranger, name="x")


async def test_the_role_cannot_be_left(db: Database, owner: Principal) -> None:
    async with db.tenant_tx(owner) as tx:
        await tx.execute("reset role")
        assert await tx.fetchval("select current_user") == "edgeflow_app"


async def test_a_cancelled_transaction_leaves_nothing_behind(db: Database, owner: Principal) -> None:
    async def work() -> None:
        async with db.tenant_tx(owner) as tx:
            await devices.create_device(tx, owner, name="x")
            await asyncio.sleep(10)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with db.system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from devices") == 0
        assert await tx.fetchval("select nullif(current_setting('app.tenant_id', true), '')") is None


async def test_the_audit_log_is_never_changed(db: Database, owner: Principal) -> None:
    async with db.tenant_tx(owner) as tx:
        await devices.create_device(tx, owner, name="x")
    for statement in ("update audit_entries set action = 'x'", "delete from audit_entries"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.tenant_tx(owner) as tx:
                await tx.execute(statement)
    server = await asyncpg.connect(db.url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await server.execute("truncate audit_entries")
    await server.close()
