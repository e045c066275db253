"""From words to a condition: a query, a filter of a list, a target of a deed."""

from dataclasses import dataclass
from uuid import UUID

from edgeflow_cloud import organizations
from edgeflow_cloud.devices.groups import queries as groups
from edgeflow_cloud.devices.groups.model import no_such_group
from edgeflow_cloud.devices.matching import queries
from edgeflow_cloud.devices.matching.queries import IN_GROUP, PRESENCE
from edgeflow_cloud.devices.model import Filter, Status, Target
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, GroupId, MalformedId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.query_language import (
    VOCABULARY,
    Compiler,
    Condition,
    FieldType,
    Inlined,
    Names,
    Node,
    QueryInvalid,
    comparisons,
    parse,
)

MOST_ARGUMENTS = 2_000
"""Of one statement; PostgreSQL itself takes 65,535."""


MOST_VALUES = 200


@dataclass(frozen=True, slots=True)
class Described:
    """A field as completion shows it; `values` are the first ones, None where they are too many to name."""

    name: str
    type: FieldType
    description: str
    operators: tuple[str, ...]
    values: tuple[str, ...] | None
    example: str


def begin(principal: Principal) -> Condition:
    """A condition that every device of the organization meets."""
    return Condition([principal.tenant_id])


async def add_query(tx: Transaction, principal: Principal, found: Condition, text: str) -> str:
    """The SQL of a query, its arguments bound in `found`. Raises QueryInvalid."""
    node = parse(text)
    sql = Compiler(VOCABULARY, await _names(tx, principal, node), text, found).compile(node)
    if len(found.arguments) > MOST_ARGUMENTS:
        raise QueryInvalid("With the groups that it names, this query is too large.", text, 0, len(text))
    return sql


async def require_sound(tx: Transaction, principal: Principal, text: str) -> None:
    """Raises QueryInvalid unless the text is a query that can be asked."""
    await add_query(tx, principal, begin(principal), text)


async def select(tx: Transaction, principal: Principal, wanted: Filter) -> Condition:
    """What a list's filter means. Raises QueryInvalid, NotFound (`group_not_found`)."""
    found = begin(principal)
    terms: list[str] = []
    if wanted.status is not None:
        found.joins.setdefault(PRESENCE)
        terms.append("p.online" if wanted.status is Status.ONLINE else "not p.online")
    if wanted.search is not None:
        pattern = wanted.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        part, whole = found.bind(f"%{pattern}%", "text"), found.bind([wanted.search], "text[]")
        terms.append(f"(d.name ilike {part} or d.tags @> {whole})")
    if wanted.project_id is not None:
        terms.append(f"d.project_id = {found.bind(wanted.project_id, 'uuid')}")
    if wanted.tags:
        terms.append(f"d.tags @> {found.bind(list(wanted.tags), 'text[]')}")
    if wanted.group_id is not None:
        terms.append(await _in_group(tx, principal, found, ids.encode(ids.GROUP, wanted.group_id)))
    if wanted.query is not None:
        terms.append(await add_query(tx, principal, found, wanted.query))
    found.where = " and ".join(terms) or "true"
    return found


async def aim(tx: Transaction, principal: Principal, target: Target) -> Condition:
    """What a target means. Raises QueryInvalid, NotFound (`group_not_found`)."""
    found = begin(principal)
    if target.tags is not None:
        found.where = f"d.tags @> {found.bind(list(target.tags), 'text[]')}"
    elif target.device_ids is not None:
        found.where = f"d.id = any ({found.bind(list(target.device_ids), 'uuid[]')})"
    elif target.group is not None:
        found.where = await _in_group(tx, principal, found, target.group)
    elif target.query is not None:
        found.where = await add_query(tx, principal, found, target.query)
    elif not target.all:
        found.where = "false"
    return found


async def resolve_target(
    tx: Transaction, principal: Principal, target: Target, *, limit: int
) -> list[DeviceId]:
    """The target's devices now, at most `limit`, in the order of their ids. Raises as `aim`."""
    found = await aim(tx, principal, target)
    return [DeviceId(row["id"]) for row in await queries.select_ids(tx, found, limit)]


async def count(tx: Transaction, principal: Principal, text: str) -> int:
    """How many devices a query matches. Raises QueryInvalid."""
    found = begin(principal)
    found.where = await add_query(tx, principal, found, text)
    return await queries.count_matching(tx, found)


async def describe(tx: Transaction, principal: Principal) -> list[Described]:
    """The fields that a query may ask, with the values that people will want to choose from."""
    tags = [row["tag"] for row in await queries.select_tags(tx, principal.tenant_id, MOST_VALUES)]
    named = [row["name"] for row in await groups.select_names(tx, principal.tenant_id, MOST_VALUES)]
    offered = {FieldType.TAGS: tuple(tags), FieldType.GROUP: tuple(named)}
    return [
        Described(
            item.name,
            item.type,
            item.description,
            item.operators,
            item.values or offered.get(item.type) or None,
            item.example,
        )
        for item in VOCABULARY.fields()
    ]


async def _in_group(tx: Transaction, principal: Principal, found: Condition, word: str) -> str:
    rows = await groups.select_groups_called(tx, principal.tenant_id, [word.lower()], ids_among([word]))
    if not rows:
        raise no_such_group()
    row = rows[0]
    if row["query"] is None:
        return IN_GROUP.format(group=found.bind(row["id"], "uuid"))
    return await add_query(tx, principal, found, row["query"])


async def _names(tx: Transaction, principal: Principal, node: Node) -> Names:
    called = _words(node, FieldType.GROUP)
    rows = (
        await groups.select_groups_called(tx, principal.tenant_id, called, ids_among(called))
        if called
        else []
    )
    inlined = {row["id"]: Inlined(row["query"], parse(row["query"])) for row in rows if row["query"]}
    inner = [item.node for item in inlined.values()]
    deeper = [word for part in inner for word in _words(part, FieldType.GROUP)]
    if (
        deeper
    ):  # fixed ones only: a dynamic group never stands in another's query, so that none can hold itself
        more = await groups.select_groups_called(tx, principal.tenant_id, deeper, ids_among(deeper))
        rows += [row for row in more if row["query"] is None]
    meant: dict[str, UUID | Inlined] = {}
    for row in rows:
        for word in (row["name"].lower(), ids.encode(ids.GROUP, row["id"])):
            meant[word] = inlined[row["id"]] if row["id"] in inlined else row["id"]
    projects = [word for part in (node, *inner) for word in _words(part, FieldType.PROJECT)]
    known = await organizations.find_projects(tx, principal, projects) if projects else {}
    return Names(groups=meant, projects=known)


def group_words(node: Node) -> list[str]:
    """Names and ids of groups that a query asks for, in lower case."""
    return _words(node, FieldType.GROUP)


def _words(node: Node, kind: FieldType) -> list[str]:
    words: dict[str, None] = {}
    for leaf in comparisons(node):
        known = VOCABULARY.find(leaf.field.text)
        if known is not None and known[0].type is kind:
            words |= {value.text.lower(): None for value in leaf.values if value is not None}
    return list(words)


def ids_among(words: list[str]) -> list[GroupId]:
    """Those of the words that are ids of groups."""
    found: list[GroupId] = []
    for word in words:
        try:
            found.append(GroupId(ids.decode(ids.GROUP, word)))
        except MalformedId:
            continue
    return found
