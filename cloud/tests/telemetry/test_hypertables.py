"""Where the server has TimescaleDB: the tables become hypertables, and everything else stays as it was.

No package carries TimescaleDB. Its three functions that we call stand here with what they are documented to do to a
table's rows, and note their calls; so this proves our statements and that the rest works on a table that is no
partitioned one, not TimescaleDB itself. Against a server that has it, EDGEFLOW_TEST_DATABASE_URL runs all tests.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from cloud.tests.conftest import use_database
from cloud.tests.telemetry.conftest import NOW, Peer, batch, sample, stored
from cloud.tests.telemetry.test_metrics import test_another_organization_sees_nothing
from cloud.tests.telemetry.test_rollups import (
    test_rollups_alone_answer_once_made_and_doing_it_again_changes_nothing,
)
from cloud.tests.telemetry.test_sweeping import on_free, test_whole_days_go_and_their_rollups_stay
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.partitions import TABLES, make_partitions_ahead

__all__ = [  # collected here, so that they run on this file's database
    "on_free",
    "test_another_organization_sees_nothing",
    "test_rollups_alone_answer_once_made_and_doing_it_again_changes_nothing",
    "test_whole_days_go_and_their_rollups_stay",
]

_FAKE = """
create table timescale_calls (call text, relation text, said text);
create function by_range(column_name name, partition_interval interval) returns text language sql
    return column_name || ' ' || partition_interval::text;
create function create_hypertable(relation regclass, dimension text, create_default_indexes boolean default true)
returns void language plpgsql as $$
begin
    if (select relkind from pg_class where oid = relation) <> 'r' then
        raise exception 'table "%" is already partitioned', relation;
    end if;
    insert into timescale_calls
        values ('create_hypertable', relation::text, dimension || ' ' || create_default_indexes);
end $$;
create function drop_chunks(relation regclass, older_than timestamptz) returns setof text language plpgsql as $$
begin
    insert into timescale_calls values ('drop_chunks', relation::text, older_than::text);
    return query execute format(
        'with gone as (delete from %s where date_bin(''1 day'', time, ''2000-01-01 00:00Z'') + interval ''1 day'' <= $1
            returning date_bin(''1 day'', time, ''2000-01-01 00:00Z'')::text as day)
        select distinct day from gone', relation) using older_than;
end $$;
insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
select 1, 'timescaledb', r.oid, 'public'::regnamespace, false, '0' from pg_roles r where r.rolname = current_user;
"""


async def shape(connection: asyncpg.Connection) -> list[tuple[object, ...]]:
    """Columns, indexes' columns, rights, policies and views of the tables."""
    rows = await connection.fetch(
        """
        select c.relname, 'column', a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || a.attnotnull::text
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.relname = any ($1)
        union all
        select c.relname, 'index', i.indkey::text || i.indisunique::text || i.indisprimary::text || i.indoption::text
        from pg_class c join pg_index i on i.indrelid = c.oid where c.relname = any ($1)
        union all
        select c.relname, 'right', x.grantee::regrole || ' ' || x.privilege_type
        from pg_class c, aclexplode(c.relacl) x where c.relname = any ($1) or c.relkind = 'v'
        union all
        select tablename, 'policy', policyname || permissive || roles::text || cmd || coalesce(qual, '')
            || coalesce(with_check, '') from pg_policies where tablename = any ($1)
        union all
        select relname, 'secured', relrowsecurity::text || relforcerowsecurity::text from pg_class
        where relname = any ($1)
        union all
        select c.relname, 'view', pg_get_viewdef(c.oid) || coalesce(c.reloptions::text, '') from pg_class c
        where c.relkind = 'v' and c.relnamespace = 'public'::regnamespace
        order by 1, 2, 3
        """,
        list(TABLES),
    )
    return [tuple(row) for row in rows]


@pytest.fixture
async def database_url(stack: dict[str, str]) -> AsyncIterator[str]:
    """A database whose telemetry was taken over, with yesterday's rows in it."""
    async with use_database(stack) as url:
        connection = await asyncpg.connect(url)
        before = await shape(connection)
        assert not await connection.fetchval(
            "select keep_telemetry_in_hypertables()"
        )  # without the extension
        await connection.execute(_FAKE)
        assert await connection.fetchval("select keep_telemetry_in_hypertables()")
        assert await shape(connection) == before
        assert await connection.fetch("select relation, said from timescale_calls order by 1") == [
            (table, "time 1 day false") for table in sorted(TABLES)
        ]
        await connection.execute(
            "select keep_telemetry_in_hypertables(); delete from timescale_calls"
        )  # nothing more
        await connection.close()
        yield url


async def test_days_are_cut_by_timescale_and_dropped_as_chunks(db: Database, peer: Peer) -> None:
    await make_partitions_ahead(db, NOW)
    await peer.send(batch(1, *(sample(day * 86_400, custom={"own": 1.0}) for day in range(25))))
    async with db.system_tx("test") as tx:
        parts = (
            "select count(*) from pg_class where relispartition and relname ~ '^(system|custom|device_[el])'"
        )
        assert await tx.fetchval(parts) == 0
        assert await queries.drop_partitions(tx, NOW - timedelta(days=20), 100) == 4
        assert await queries.drop_day_partitions(tx, "custom_samples", NOW - timedelta(days=20), 100) == 4
    assert await stored(db) == 21
    await peer.send(batch(2, sample(23 * 86_400)))
    assert await stored(db) == 22
