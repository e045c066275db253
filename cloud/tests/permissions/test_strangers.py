"""What belongs to another organization answers as what is not there, and stays as it is.

Each operation is called by the owner of another organization: once with the ids of ours, once with ids of nothing.
Two things keep tenants apart: `where tenant_id = …` in every statement, and row-level security. The mutants take one
of them away, everywhere at once, and nothing may leak; with both away the sweep must notice.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cloud.tests.permissions.conftest import Sql, Tenant
from cloud.tests.permissions.table import ROWS, Row
from cloud.tests.permissions.test_table import NOTHING
from edgeflow_cloud.infra.db import Database, Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal

_WHERE = re.compile(r"\b(?:\w+\.)?tenant_id = \$(\d+)")


def fill(template: str, names: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: names[found.group(1)], template)


async def call(client, operation: str, row: Row, names: dict[str, str]) -> tuple[int, dict[str, object]]:
    method, path = operation.split(" ", 1)
    body = _filled(row.body, names)
    answer = await client.request(method, fill(path, names), **({} if body is None else {"json": body}))
    said = answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else {}
    said = said if isinstance(said, dict) else {}
    return answer.status_code, {name: value for name, value in said.items() if name != "request_id"}


def _filled(value: object, names: dict[str, str]) -> object:
    if isinstance(value, dict):
        return {name: _filled(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, names) for item in value]
    if isinstance(value, list):
        return [_filled(item, names) for item in value]
    if isinstance(value, str) and value.startswith("{"):
        return fill(value, names)
    return value


def named(operation: str, row: Row) -> set[str]:
    """The things that an operation names, in its path and body."""
    return set(re.findall(r"\{(\w+_id)\}", operation + json.dumps(row.body)))


async def sweep(ours: Tenant, theirs: Tenant) -> list[str]:
    """Every way in which the other owner learns of ours, as sentences."""
    wrong: list[str] = []
    for operation in ROWS:
        if not operation.startswith("GET ") or "{" in operation.replace("{organization_id}", ""):
            continue
        path = operation.removeprefix("GET ").replace("{organization_id}", theirs.organization)
        text = (await theirs.owner.get(path)).text
        wrong += [f"{operation} shows our {name}" for name, value in ours.names.items() if value in text]
    for operation, row in ROWS.items():
        parts = named(operation, row)
        for own in (set(), {"organization_id"} & parts):
            foreign = parts - own
            if not foreign or row.permission == "public":
                continue
            base = NOTHING | {name: theirs.names[name] for name in own}
            absent = await call(theirs.owner, operation, row, base)
            there = await call(
                theirs.owner, operation, row, base | {name: ours.names[name] for name in foreign}
            )
            if absent != there:
                wrong.append(f"{operation}: {there} for what is ours, {absent} for nothing")
            elif absent[0] not in (404, 403 if operation == "POST /auth/switch" else 404):
                wrong.append(f"{operation}: {absent}")
    return wrong


async def picture(sql: Sql, organization: str) -> dict[str, str]:
    """Every row of an organization, as digests by table."""
    tables = await sql.fetch(
        """
        select c.oid::regclass::text as name from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        """
    )
    return {
        row["name"]: await sql.fetchval(
            f"select md5(string_agg(t::text, '|' order by t::text)) from {row['name']} t where tenant_id = $1",
            ids.decode("org", organization),
        )
        for row in tables
    }


class Loose:
    """A transaction whose statements have lost every `tenant_id = $n`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.dropped = 0

    def __getattr__(self, name: str) -> object:
        found = getattr(self._tx, name)
        if name not in {"fetch", "fetchrow", "fetchval", "execute", "executemany", "cursor"}:
            return found

        def send(query: str, *values: object, **options: object) -> object:
            return found(_WHERE.sub(r"($\1::uuid is not null)", query), *values, **options)

        return send


def drop_wheres(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Database.tenant_tx

    @asynccontextmanager
    async def tenant_tx(self: Database, principal: Principal, **options: str) -> AsyncIterator[Loose]:
        async with original(self, principal, **options) as tx:
            yield Loose(tx)

    monkeypatch.setattr(Database, "tenant_tx", tenant_tx)


async def drop_row_level_security(sql: Sql) -> None:
    for row in await sql.fetch("select oid::regclass::text as name from pg_class where relrowsecurity"):
        await sql.execute(f"alter table {row['name']} disable row level security")


async def test_the_foreign_is_as_the_absent(sql: Sql, ours: Tenant, theirs: Tenant) -> None:
    before = await picture(sql, ours.organization)
    assert await sweep(ours, theirs) == []
    assert await picture(sql, ours.organization) == before


async def test_without_row_level_security_nothing_leaks(sql: Sql, ours: Tenant, theirs: Tenant) -> None:
    before = await picture(sql, ours.organization)
    await drop_row_level_security(sql)
    assert await sweep(ours, theirs) == []
    assert await picture(sql, ours.organization) == before


async def test_without_wheres_nothing_leaks(
    sql: Sql, ours: Tenant, theirs: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await picture(sql, ours.organization)
    drop_wheres(monkeypatch)
    assert await sweep(ours, theirs) == []
    assert await picture(sql, ours.organization) == before


async def test_without_both_the_sweep_notices(
    sql: Sql, ours: Tenant, theirs: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drop_row_level_security(sql)
    drop_wheres(monkeypatch)
    wrong = await sweep(ours, theirs)
    for operation in (
        "GET /devices/{device_id}",
        "GET /projects/{project_id}",
        "GET /devices shows",
        "GET /api-keys",
    ):
        assert any(sentence.startswith(operation) for sentence in wrong), operation


def test_statements_lose_their_tenant() -> None:
    assert _WHERE.sub(r"($\1::uuid is not null)", "select 1 from a where a.tenant_id = $1 and id = $2") == (
        "select 1 from a where ($1::uuid is not null) and id = $2"
    )
