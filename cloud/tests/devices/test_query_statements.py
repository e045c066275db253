"""Whatever the grammar can say, PostgreSQL understands: generated queries, prepared and planned as the app's role."""

import random

from hypothesis import HealthCheck, Phase, given, settings, strategies

from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.query_language import VOCABULARY
from edgeflow_cloud.query_language.compiler import Compiler, Condition, Names
from edgeflow_cloud.query_language.model import FieldType, QueryField
from edgeflow_cloud.query_language.syntax import QueryInvalid, parse

assert SUBSYSTEMS
_VALUES = {
    FieldType.TEXT: ["press", '"a \\"b\\" % _"', "'x y'", "null"],
    FieldType.NUMBER: ["80", "-3.5", "1e6", "80%", "null"],
    FieldType.VERSION: ["1.4.0", "v2", "1.0-rc.1", "null"],
    FieldType.TIME: ["1h", "1d12h", "2026-01-01", "2026-01-01T10:00:00Z", "null"],
    FieldType.STATUS: ["online", "OFFLINE"],
    FieldType.TAGS: ["line-3", '"a b"', "null"],
    FieldType.GROUP: ["lab", "null"],
    FieldType.PROJECT: ["nine", "null"],
    FieldType.DEVICE: [ids.encode("dev", ids.new()), "null"],
    FieldType.JSON: ["auto", "true", "3", '"3"', "1.2.3", "null"],
}
_NAMES = Names(groups={"lab": ids.new()}, projects={"nine": ids.new()})


def comparison(draw: random.Random) -> str:
    """One comparison of any field, mostly one that holds together."""
    field: QueryField = draw.choice(VOCABULARY.fields())
    name = field.name.replace("*", draw.choice(["a", "a.b.c", "disks.0.size", "with-dash"]))
    operator = draw.choice(field.operators)
    values = _VALUES[field.type]
    if operator in ("in", "not in"):
        return f"{name} {operator} ({', '.join(draw.choices(values, k=draw.randint(1, 4)))})"
    return f"{name} {operator} {draw.choice(values)}"


def query(draw: random.Random, depth: int) -> str:
    """A tree of comparisons."""
    match draw.randint(0, 3 if depth else 0):
        case 0:
            return comparison(draw)
        case 1:
            return f"not ({query(draw, depth - 1)})"
        case other:
            word = " and " if other == 2 else " or "
            return "(" + word.join(query(draw, depth - 1) for _ in range(draw.randint(2, 3))) + ")"


def compiled(owner: Principal, text: str) -> Condition | None:
    """The condition of a query; None when it is refused."""
    condition = Condition([owner.tenant_id])
    try:
        condition.where = Compiler(VOCABULARY, _NAMES, text, condition).compile(parse(text))
    except QueryInvalid:
        return None
    return condition


async def test_five_hundred_generated_queries_are_planned(db: Database, owner: Principal) -> None:
    draw, planned = random.Random(6), 0
    async with db.tenant_tx(owner) as tx:
        for _ in range(900):
            text = query(draw, 3)
            found = compiled(owner, text)
            if found is None:
                continue
            statement = (
                f"select d.id from devices d {' '.join(found.joins)} where d.tenant_id = $1 and {found.where}"
            )
            try:
                await tx.fetch(f"explain {statement}", *found.arguments)
                await tx.fetch(statement, *found.arguments)
            except Exception as error:
                raise AssertionError(f"{text}\n{statement}") from error
            planned += 1
    assert planned >= 500


@settings(
    max_examples=500, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
@given(
    strategies.text(max_size=80) | strategies.randoms(use_true_random=False).map(lambda draw: query(draw, 2))
)
def test_nothing_that_is_typed_breaks_the_parser_or_reaches_the_text(text: str) -> None:
    condition = Condition([ids.new()])
    try:
        sql = Compiler(VOCABULARY, _NAMES, text, condition).compile(parse(text))
    except QueryInvalid as error:
        assert error.line >= 1 and error.column >= 1 and "^" in error.caret
        return
    plain = "".join(letter for letter in sql if letter not in "'\"")
    for value in ("press", "line-3", "auto", "1.4.0", "2026", "lab", "nine"):
        assert value not in plain


async def test_versions_sort_as_versions(db: Database, owner: Principal) -> None:
    rising = [
        "0.9",
        "1.4.0-alpha",
        "1.4.0-rc.2",
        "1.4.0-rc.10",
        "1.4",
        "1.4.1",
        "1.10.0",
        "2.0-1",
        "v2",
        "10",
    ]
    async with db.tenant_tx(owner) as tx:
        orders = [await tx.fetchval("select version_order($1)", item) for item in rising]
        same = {await tx.fetchval("select version_order($1)", item) for item in ("1.4", "v1.4.0", "1.4.0+b7")}
        none = await tx.fetchval("select version_order('nightly')")
    assert orders == sorted(orders) and len(set(orders)) == len(orders)
    assert len(same) == 1 and none is None
