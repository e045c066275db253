"""Every SQL statement of every `queries.py` is prepared against the migrated schema.

A statement is a string literal, or an f-string of the module's own constants; then it can be prepared here,
and a misspelt column or a wrong type is found before anyone calls the function. What must be put together at
run time stands in RUN_TIME, with the most that it may be.
"""

import ast
import importlib

import asyncpg
import pytest

from cloud.tests.architecture.source import Module, Statement, load, statements
from edgeflow_cloud.infra.db import PgConnection
from edgeflow_cloud.telemetry import METRICS

RUN_TIME: dict[str, dict[str, str]] = {
    "telemetry.sweeping.queries": {"table": "system_samples", "column": "time"},
    "telemetry.rollups.queries": {
        "table": "1m",
        "ready": ", ".join(f"v.counts[{i}] as c{i}, v.sums[{i}] as s{i}" for i in range(1, len(METRICS) + 1)),
        "raw": ", ".join(
            f"(v.{metric} is not null)::integer as c{i}, v.{metric}::double precision as s{i}"
            for i, metric in enumerate(METRICS, 1)
        ),
        "values": ", ".join(f"sum(s{i}) / nullif(sum(c{i}), 0)" for i in range(1, len(METRICS) + 1)),
        "value": "sum(s) / nullif(sum(c), 0)",
    },
    "devices.matching.queries": {
        "key": "lower(d.name)",
        "direction": "asc",
        "joins": "join device_presence p on p.tenant_id = d.tenant_id and p.device_id = d.id",
        "where": "(d.name ilike $2::text)",
        "after": "and (lower(d.name), d.id) > ($5::text, $6::uuid)",
        "skipped": "$4::bigint",
        "most": "$3::bigint",
    },
    "devices.presence.queries": {"tenant_ids": "", "device_ids": "", "epochs": ""},
}
"""Module -> name -> the most that it can stand for."""


def prepared_here(modules: list[Module]) -> list[Statement]:
    """Statements that a subsystem or infra sends."""
    return [
        statement
        for module in modules
        if module.is_queries or module.owner == "infra"
        for statement in statements(module, surely=not module.is_queries)
    ]


def text_of(statement: Statement, names: dict[str, object]) -> str:
    """The text as the module would send it. Raises ValueError when a part is only known at run time."""
    expression = ast.Expression(statement.node)
    try:
        return str(eval(compile(expression, "<statement>", "eval"), dict(names)))
    except (NameError, AttributeError, TypeError) as error:
        raise ValueError(
            f"{statement.where} holds a statement that is only known at run time ({error}): "
            "write it as one literal, or from constants of the module."
        ) from None


async def unprepared(
    connection: PgConnection, found: list[Statement], names: dict[str, object] | None = None
) -> list[str]:
    """Statements that PostgreSQL refuses, each with its reason."""
    said: list[str] = []
    for statement in found:
        try:
            given = names if names is not None else _names(statement.module)
            async with connection.transaction():  # a savepoint: the next statement is judged for itself
                await connection.prepare(text_of(statement, given))
        except ValueError as error:
            said.append(str(error))
        except asyncpg.PostgresError as error:
            said.append(f"{statement.where}: {error}")
    return said


def _names(module: Module) -> dict[str, object]:
    return {**vars(importlib.import_module(f"edgeflow_cloud.{module.name}")), **RUN_TIME.get(module.name, {})}


async def test_every_statement_is_prepared(connection: PgConnection) -> None:
    found = prepared_here(load())
    assert len(found) > 20
    assert await unprepared(connection, found) == []


@pytest.mark.parametrize(
    ("text", "speaks"),
    [
        ('A = "select id from devices where tenant_id = $1"', False),
        ('A = f"select {COLUMNS} from devices"', False),
        ('A = "select colour from devices"', True),
        ('A = "select id from devices where tenant_id = 1"', True),
        ('A = "insert into devices (id) values ($1, $2)"', True),
        ('def f(order): return f"select id from devices order by {order}"', True),
        ('A = "select id from devices where " + where', True),
    ],
)
async def test_a_wrong_statement_is_seen(connection: PgConnection, text: str, speaks: bool) -> None:
    found = statements(Module("devices.queries", text))
    assert len(found) == 1
    assert bool(await unprepared(connection, found, {"COLUMNS": "id, name"})) is speaks
