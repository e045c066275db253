"""A table, and a function that runs as its definer, is mentioned in one place: its owner's `queries.py`.

A function that only the database calls (policies, views, other functions) belongs to the owner of the tables that it
reads, and these have one.

`infra` owns tables too (outbox, idempotency keys, jobs); there the SQL stands beside the code that needs it.
"""

import ast

import pytest

from cloud.tests.architecture.source import Module, Schema, load, names_in, schema, schema_of, statements

INFRA = "infra"
FOREIGN = frozenset({f"jobs.pgqueuer{kind}" for kind in ("", "_log", "_schedules", "_statistics")})
"""Tables that a library reads; its own SQL is not in our files."""

WITNESSES = frozenset({"drills", "tenant_drills"})
"""They own no table and write none: at the end of a drill they read others', from outside, as the server's owner."""


def mentions(module: Module, known: Schema) -> dict[str, int]:
    """Tables and definer functions that a module's SQL names, with a line of each."""
    found: dict[str, int] = {}
    for statement in statements(module, surely=not module.is_queries):
        for name in names_in(statement.text) & known.tables:
            found.setdefault(name, statement.node.lineno)
        for function in known.functions:
            if f"{function}(" in statement.text:
                found.setdefault(function, statement.node.lineno)
    for name, line in copied(module):
        if name in known.tables:
            found.setdefault(name, line)
    return found


def copied(module: Module) -> list[tuple[str, int]]:
    """Tables that asyncpg's COPY methods are given by name."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"copy_records_to_table", "copy_to_table", "copy_from_table"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            found.append((str(node.args[0].value), node.lineno))
    return found


def trespasses(modules: list[Module], known: Schema) -> list[str]:
    """Mentions outside a `queries.py`, by two owners, or by none."""
    said: list[str] = []
    owners: dict[str, str] = {}
    for module in modules:
        if module.owner in WITNESSES and module.is_queries:
            continue
        for name, line in mentions(module, known).items():
            where = f"{module.name}:{line}"
            if module.owner == "app":
                said.append(f"{where} reads {name}: app has no tables, call the owner's service.")
            elif module.owner != INFRA and not module.is_queries:
                said.append(f"{where} reads {name}: SQL stands in {module.owner}/queries.py.")
            other = owners.setdefault(name, module.owner)
            if other != module.owner:
                said.append(f"{where} reads {name}, which is {other}'s: call edgeflow_cloud.{other}.")
    for name in sorted((known.tables | known.functions) - set(owners) - FOREIGN):
        if name not in known.inside:
            said.append(f"{name} has no owner: no queries.py mentions it.")
        elif len(whose := {owners.get(table, "nobody") for table in known.inside[name]}) != 1:
            said.append(
                f"{name} is called by SQL alone, so it is its tables' owner's, and these are {sorted(whose)}."
            )
    return said


def sql_outside(modules: list[Module]) -> list[str]:
    """SQL of any kind outside `queries.py` and `infra`."""
    return [
        f"{statement.where} holds SQL: it belongs in {module.owner}/queries.py."
        for module in modules
        if module.owner not in {INFRA, "kernel"} and not module.is_queries
        for statement in statements(module, surely=True)
    ]


def test_each_table_has_one_owner() -> None:
    assert trespasses(load(), schema()) == []


def test_sql_stands_in_queries() -> None:
    assert sql_outside(load()) == []


SAMPLE = schema_of(
    "-- create table ghosts (id int);\n"
    "create table devices (id uuid);\ncreate table if not exists public.shadows (id uuid);\n"
    "create table samples_2026 partition of samples default;\n"
    "create function find_key(hash bytea) returns uuid language sql security definer as $$ select 1 $$;\n"
    "create function plain() returns uuid language sql as $$ select 1 $$;\n"
    "create view samples as select 1;\ncreate table jobs.attempts (id int);"
)


def test_migrations_are_read() -> None:
    assert SAMPLE.tables == {"devices", "shadows", "samples", "jobs.attempts"}
    assert SAMPLE.functions == {"find_key"}


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select id from devices where name = 'from shadows'", {"devices"}),
        ("select 1 from a, b as c, public.d join e using (id) -- from f", {"a", "b", "d", "e"}),
        ("insert into devices (id) select id from old on conflict do nothing", {"devices", "old"}),
        ("with x as (delete from y returning id) update only z set a = 1 from x", {"y", "z", "x"}),
        ("copy samples (a) from stdin", {"samples", "stdin"}),
    ],
)
def test_tables_are_found(sql: str, names: set[str]) -> None:
    assert names_in(sql) == names


OWNED = [
    Module("devices.queries", 'A = "select id from devices"\nB = "select find_key($1)"'),
    Module("shadows.queries", 'def f(tx):\n    return tx.fetch(f"""\n  select {A} from shadows""")'),
    Module("infra.jobs.queue", 'A = "select 1 from samples join jobs.attempts a on true"'),
]


def test_a_clean_sample_passes() -> None:
    assert trespasses(OWNED, SAMPLE) == []
    assert sql_outside(OWNED) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shadows.queries", 'A = "select s.id from shadows s join devices d on true"'),
        ("shadows.queries", 'A = "select find_key($1)"'),
        ("shadows.queries", 'async def f(tx): await tx.copy_records_to_table("devices", records=[])'),
        ("devices.service", 'A = "delete from devices where id = $1"'),
        ("app.cli", 'A = "update devices set name = $1"'),
    ],
)
def test_trespasses_are_seen(name: str, text: str) -> None:
    assert trespasses([*OWNED, Module(name, text)], SAMPLE)


def test_a_table_without_owner_is_seen() -> None:
    assert trespasses(OWNED[1:], SAMPLE)


INSIDE = (
    "create table devices (id uuid);\ncreate table shadows (id uuid);\n"
    "create function ours() returns setof uuid language sql security definer as $$ select id from devices $$;\n"
    "select secure_lookup('ours()');\n"
)
CALL = "create view seen as select 1 from devices where id in (select ours());"
OWNERS = [
    Module("devices.queries", 'A = "select id from devices"\nB = "select 1 from seen"'),
    Module("shadows.queries", 'A = "select id from shadows"'),
]


def test_a_function_that_sql_calls_is_its_tables_owners() -> None:
    known = schema_of(INSIDE + CALL)
    assert known.inside == {"ours": {"devices"}}
    assert trespasses(OWNERS, known) == []


@pytest.mark.parametrize(
    "sql",
    [
        INSIDE + "create view seen as select 1 from devices;",  # nobody calls it
        INSIDE.replace("from devices $$", "from devices, shadows $$") + CALL,
        INSIDE.replace("select id from devices", "select gen_random_uuid()") + CALL,
    ],
)
def test_a_function_of_nobody_or_of_two_is_seen(sql: str) -> None:
    assert trespasses(OWNERS, schema_of(sql))


def test_a_dropped_function_is_gone_until_it_is_made_again() -> None:
    gone = INSIDE + "drop function ours();\n"
    assert schema_of(gone).functions == frozenset()
    assert schema_of(gone + INSIDE).functions == {"ours"}


@pytest.mark.parametrize(
    ("text", "is_sql"),
    [
        ('A = "select count(*) from generate_series(1, 2)"', True),
        ('"""select one from the list: documentation."""', False),
        ('A = "Select a device from the list."', False),
        ('A = "SELECT id FROM things"', True),
        ('A = "update the agent"', False),
        ('A = f"insert into {TABLE} values (1)"', True),
        ('A = "with care"', False),
    ],
)
def test_sql_is_told_from_prose(text: str, is_sql: bool) -> None:
    assert bool(sql_outside([Module("devices.service", text)])) is is_sql
