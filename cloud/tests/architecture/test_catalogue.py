"""Tenancy as PostgreSQL sees it: forced row-level security, keys that carry the tenant, few shared tables."""

from collections.abc import Awaitable, Callable

import pytest

from cloud.tests.architecture import catalogue
from cloud.tests.architecture.source import schema
from edgeflow_cloud.infra.db import PgConnection

Check = Callable[[PgConnection], Awaitable[list[str]]]

SHARED: dict[str, str] = {
    "users": "a person may belong to several organizations; row-level security shows fellows only",
    "totp_seeds": "a person's second factor, sealed; row-level security shows fellows only",
    "recovery_codes": "likewise, hashed",
    "mails": "a request adds one in its own transaction; nobody reads one",
    "jobs.pgqueuer": "a request adds a job in its own transaction; no payload is readable",
    "jobs.pgqueuer_log": "pgqueuer writes it as a job is added",
}
"""Tables without a tenant that people's transactions reach, each with its reason."""

LIBRARIES = frozenset(
    {
        "alembic_version",
        "jobs.pgqueuer",
        "jobs.pgqueuer_log",
        "jobs.pgqueuer_schedules",
        "jobs.pgqueuer_statistics",
    }
)
"""Tables that alembic and pgqueuer make for themselves."""


@pytest.mark.parametrize(
    "check",
    [
        catalogue.unsecured_tables,
        catalogue.misplaced_keys,
        catalogue.loose_foreign_keys,
        catalogue.open_views,
        catalogue.loose_functions,
    ],
)
async def test_the_schema_keeps_tenants_apart(connection: PgConnection, check: Check) -> None:
    assert await check(connection) == []


async def test_shared_tables_are_listed(connection: PgConnection) -> None:
    assert await catalogue.shared_tables(connection) == set(SHARED)


async def test_migrations_are_read_as_postgresql_reads_them(connection: PgConnection) -> None:
    """The ownership check reads SQL files; here it is held against the truth."""
    assert await catalogue.tables(connection) - LIBRARIES == schema().tables


GOOD = "create table mutant (tenant_id uuid, id uuid, primary key (tenant_id, id));"


@pytest.mark.parametrize(
    ("check", "sql"),
    [
        (catalogue.unsecured_tables, f"{GOOD} grant select on mutant to edgeflow_app"),
        (catalogue.unsecured_tables, f"{GOOD} grant select (id) on mutant to edgeflow_app"),
        (
            catalogue.unsecured_tables,
            f"{GOOD} select secure_tenant_table('mutant'); alter table mutant no force row level security",
        ),
        (
            catalogue.unsecured_tables,
            f"{GOOD} select secure_tenant_table('mutant'); create policy wide on mutant using (true)",
        ),
        (
            catalogue.unsecured_tables,
            f"{GOOD} select secure_tenant_table('mutant'); drop policy tenant on mutant;"
            "create policy tenant on mutant to edgeflow_app using (true) with check (true)",
        ),
        (catalogue.misplaced_keys, "create table mutant (tenant_id uuid, id uuid primary key)"),
        (
            catalogue.misplaced_keys,
            "create table mutant (tenant_id uuid, id uuid, primary key (id, tenant_id))",
        ),
        (catalogue.misplaced_keys, "create table mutant (tenant_id uuid, id uuid)"),
        (
            catalogue.loose_foreign_keys,
            "create table mutant (tenant_id uuid, id uuid references devices (id))",
        ),
        (
            catalogue.open_views,
            "create view mutant as select id from devices; grant select on mutant to edgeflow_app",
        ),
        (
            catalogue.open_views,
            "create view mutant with (security_barrier) as select id from devices;"
            "grant select on mutant to edgeflow_app",
        ),
        (
            catalogue.misplaced_keys,
            "create table mutant (tenant_id uuid, at date) partition by range (at)",
        ),
        (
            catalogue.loose_functions,
            "create function mutant() returns int language sql security definer set search_path = public"
            " as 'select 1'; revoke execute on function mutant() from public;"
            "grant execute on function mutant() to edgeflow_app",
        ),
        (
            catalogue.loose_functions,
            "create function mutant() returns int language sql security definer as 'select 1'",
        ),
    ],
)
async def test_a_bad_schema_is_seen(connection: PgConnection, check: Check, sql: str) -> None:
    await connection.execute(sql)
    assert any("mutant" in sentence for sentence in await check(connection))


@pytest.mark.parametrize(
    "sql",
    [
        f"{GOOD} select secure_tenant_table('mutant')",
        GOOD,
        "create table mutant (tenant_id uuid, at date) partition by range (at);"
        "create index on mutant (tenant_id, at)",
        "create view mutant with (security_invoker = true) as select id from devices;"
        "grant select on mutant to edgeflow_app",
    ],
)
async def test_a_good_schema_passes(connection: PgConnection, sql: str) -> None:
    await connection.execute(sql)
    for check in (catalogue.unsecured_tables, catalogue.misplaced_keys, catalogue.open_views):
        assert not any("mutant" in sentence for sentence in await check(connection))


async def test_a_shared_table_is_seen(connection: PgConnection) -> None:
    await connection.execute("create table mutant (id uuid); grant insert on mutant to edgeflow_app")
    assert "mutant" in await catalogue.shared_tables(connection)
