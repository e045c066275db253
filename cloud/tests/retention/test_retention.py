"""No table grows for ever: each one that holds times is listed by a wiring, or here with the reason why not."""

import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra import mail
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.retention import INFRA_RETENTION, Retention, run_retention
from edgeflow_cloud.kernel import ids

ENTRIES = [
    *INFRA_RETENTION,
    mail.RETENTION,
    *(entry for subsystem in SUBSYSTEMS for entry in subsystem.retention),
]

KEPT = {
    "devices": "stands until somebody deletes it",
    "device_presence": "one row a device",
    "shadows": "one row a device",
    "device_latest_metrics": "one row a device",
    "rollups_due": "goes when its rollups are made; at most three rows a device",
    "flow_keys": "the chain of endorsements goes back to the first key: a retired key keeps only its public half",
    "organizations": "stands until somebody deletes it",
    "members": "goes with the organization or the person",
    "tenant_plans": "one row an organization",
    "device_groups": "stands until somebody deletes it",
    "device_group_members": "at most one row for each device and group",
    "saved_searches": "stands until somebody deletes it",
    "projects": "stands until somebody deletes it",
    "api_keys": "stands until somebody revokes it",
    "users": "stands until somebody deletes it",
    "totp_seeds": "one row a person",
    "recovery_codes": "ten rows a person: new ones take the place of old ones",
    "audit_entries": "the log is append-only; its age limit is the plan's",
    "audit_chains": "one row an organization",
    "jobs.pgqueuer_schedules": "ours are in jobs.schedules; this one stays empty",
}

STATES: dict[str, dict[str, object]] = {
    "jobs.pgqueuer": {"status": "failed"},
    "commands": {"status": "done", "due_at": None},
    "provisioning_codes": {"device_id": None, "used_at": None},
    "invitations": {"role": "member"},
    "organization_exports": {"state": "done"},
    "mails": {"state": "sent"},
    "executions": {"status": "succeeded"},
    "shadow_history": {"changed": "desired"},
    "mail_links": {"purpose": "verify_email"},
}
"""What a row must be, besides old, to be let go."""

_TABLES = """
select case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname as name
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'jobs') and c.relkind in ('r', 'p') and not c.relispartition
  and exists (select from pg_attribute a where a.attrelid = c.oid and a.atttypid = 'timestamptz'::regtype
              and not a.attisdropped)
order by 1
"""
_COLUMNS = """
select a.attname as name, format_type(a.atttypid, null) as type, t.typtype::text as kind, a.attnotnull as needed,
       a.attidentity <> '' as identity,
       (select enumlabel from pg_enum e where e.enumtypid = t.oid order by enumsortorder limit 1) as label
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""


async def test_every_table_with_times_is_listed_or_kept_for_a_reason(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    tables = {row["name"] for row in await connection.fetch(_TABLES)}
    await connection.close()
    listed = {entry.table for entry in ENTRIES}
    assert "outbox" in tables
    assert tables - listed - set(KEPT) == set(), (
        "name a Retention in the owner's wiring.py, or the reason here"
    )
    assert (listed | set(KEPT)) - tables == set(), "there is no such table (any more)"
    assert listed & set(KEPT) == set()


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.table for entry in ENTRIES])
async def test_old_rows_go_and_young_ones_stay(entry: Retention, context: Context, database_url: str) -> None:
    now = datetime.now(UTC)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "set session_replication_role = replica"
        )  # rows without the rows they point to
        for time in (now, now - entry.keep - timedelta(days=2)):
            if entry.table == "system_samples":
                await connection.execute("select make_sample_partition($1)", time.date())
            elif entry.table in ("custom_samples", "device_events", "device_logs", "system_1m", "custom_1m"):
                await connection.execute("select make_day_partition($1, $2)", entry.table, time.date())
        await _add_row(connection, entry.table, now - entry.keep - timedelta(days=2))
        await _add_row(connection, entry.table, now)
        count = f"select count(*) from {entry.table}"
        assert await connection.fetchval(count) == 2
        await run_retention(context, [entry])
        assert await connection.fetchval(count) == 1
        await run_retention(context, [entry])
        assert await connection.fetchval(count) == 1
    finally:
        await connection.close()


async def _add_row(connection: asyncpg.Connection, table: str, time: datetime) -> None:
    """A row of made-up values whose every time is `time`."""
    values: dict[str, object] = {}
    for column in await connection.fetch(_COLUMNS, table):
        if column["type"] == "timestamp with time zone":
            values[column["name"]] = time
        elif column["needed"] and not column["identity"]:
            values[column["name"]] = _made_up(column)
    values |= STATES.get(table, {})
    names = ", ".join(values)
    marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await connection.execute(f"insert into {table} ({names}) values ({marks})", *values.values())


def _made_up(column: asyncpg.Record) -> object:
    if column["kind"] == "e":
        return column["label"]
    match str(column["type"]):
        case "uuid":
            return ids.new()
        case "text" | "character varying":
            return f"{ids.new()}@example.com" if column["name"] == "email" else str(ids.new())
        case "bigint" | "integer":
            return ids.new().int % 1_000_000_000
        case "smallint":
            return 1
        case "double precision" | "real":
            return 1.0
        case "boolean":
            return False
        case "date":
            return datetime.now(UTC).date()
        case "bytea":
            return ids.new().bytes * 2
        case "jsonb":
            return json.dumps({})
        case "interval":
            return timedelta(days=1)
        case array if array.endswith("[]"):
            return []
        case other:
            raise NotImplementedError(f"say what a {other} may be")


async def test_one_table_that_fails_does_not_keep_the_others(context: Context, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await _add_row(connection, "outbox", datetime.now(UTC) - timedelta(days=30))
    bad = Retention(
        table="none", keep=timedelta(0), statement="delete from no_such_table where $1 < now() and $2 > 0"
    )
    with pytest.raises(asyncpg.UndefinedTableError):
        await run_retention(context, [bad, *INFRA_RETENTION])
    assert await connection.fetchval("select count(*) from outbox") == 0
    await connection.close()


async def test_batches_are_bounded(
    context: Context, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeflow_cloud.infra.retention._BATCH", 10)
    connection = await asyncpg.connect(database_url)
    for _ in range(35):
        await _add_row(connection, "outbox", datetime.now(UTC) - timedelta(days=30))
    (outbox,) = (entry for entry in ENTRIES if entry.table == "outbox")
    assert await run_retention(context, [outbox]) == {"outbox": 35}
    monkeypatch.setattr("edgeflow_cloud.infra.retention._BATCHES", 2)
    for _ in range(35):
        await _add_row(connection, "outbox", datetime.now(UTC) - timedelta(days=30))
    assert await run_retention(context, [outbox]) == {"outbox": 20}
    await connection.close()
