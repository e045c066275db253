"""Tree to SQL: a condition with bound arguments. Nothing that a person wrote becomes part of the text. Pure."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import MalformedId
from edgeflow_cloud.query_language.literals import is_version, read_age, read_number, read_time
from edgeflow_cloud.query_language.model import FieldType, QueryField, Vocabulary
from edgeflow_cloud.query_language.syntax import (
    Comparison,
    Junction,
    Negation,
    Node,
    QueryInvalid,
    Word,
)

_OPPOSITE = {"!=": "=", "!~": "~", "not in": "in"}
_ORDERS = frozenset({"<", "<=", ">", ">="})
_OTHER_WAY = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Inlined:
    """A dynamic group that a query names: the text and tree of its own query."""

    text: str
    node: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What the groups and projects that a query names are: by the word as written, in lower case."""

    groups: Mapping[str, UUID | Inlined] = field(default_factory=dict[str, "UUID | Inlined"])
    projects: Mapping[str, UUID] = field(default_factory=dict[str, UUID])


@dataclass(slots=True)
class Condition:
    """A condition over `d` and `p` and what `joins` add; `arguments` are those of `$1`, `$2`, … in order."""

    arguments: list[object]
    where: str = "true"
    joins: dict[str, None] = field(default_factory=dict[str, None])

    def bind(self, value: object, cast: str) -> str:
        """The place of one more argument, with its type."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{cast}"


class Compiler:
    """Compiles one query into `condition`. `$1` is the organization already."""

    def __init__(self, vocabulary: Vocabulary, names: Names, text: str, condition: Condition) -> None:
        self._vocabulary = vocabulary
        self._names = names
        self._text = text
        self._made = condition

    def compile(self, node: Node) -> str:
        """The SQL of a tree. Raises QueryInvalid."""
        match node:
            case Comparison():
                return self._comparison(node)
            case Negation():
                return f"(({self.compile(node.part)}) is not true)"
            case Junction():
                return f"({f' {node.word} '.join(self.compile(part) for part in node.parts)})"

    def _comparison(self, asked: Comparison) -> str:
        found = self._vocabulary.find(asked.field.text)
        if found is None:
            raise self._no_field(asked.field)
        known, path = found
        if asked.operator not in known.operators:
            raise self._refuse(
                asked.field,
                f"{known.name} cannot be asked with {asked.operator}; it knows {' '.join(known.operators)}.",
            )
        if known.join:
            self._made.joins.setdefault(known.join)
        operator = _OPPOSITE.get(asked.operator, asked.operator)
        terms = [self._term(known, path, operator, value, asked.field) for value in asked.values]
        term = terms[0] if len(terms) == 1 else f"({' or '.join(terms)})"
        return f"(({term}) is not true)" if operator != asked.operator else term

    def _term(self, known: QueryField, path: list[str], operator: str, value: Word | None, name: Word) -> str:
        if value is None:
            if operator not in ("=", "in"):
                raise self._refuse(name, f"{operator} null says nothing; write {name.text} is null.")
            return self._is_null(known, path)
        operator = "=" if operator == "in" else operator
        match known.type:
            case FieldType.TEXT:
                return self._text_term(known.sql, operator, value)
            case FieldType.NUMBER:
                return f"{known.sql} {operator} {self._made.bind(self._number(known, value), 'double precision')}"
            case FieldType.VERSION:
                return self._version_term(known, operator, value)
            case FieldType.TIME:
                return self._time_term(known, operator, value)
            case FieldType.STATUS:
                return known.sql if self._choice(known, value) == known.values[0] else f"(not {known.sql})"
            case FieldType.TAGS:
                return self._tag_term(known, operator, value)
            case FieldType.GROUP:
                return self._group_term(known, value)
            case FieldType.PROJECT:
                return f"{known.sql} = {self._made.bind(self._project(value), 'uuid')}"
            case FieldType.DEVICE:
                return f"{known.sql} = {self._made.bind(self._device(value), 'uuid')}"
            case FieldType.JSON:
                return self._json_term(known, path, operator, value)

    def _is_null(self, known: QueryField, path: list[str]) -> str:
        if known.type is FieldType.JSON:
            return f"({known.sql} #>> {self._made.bind(path, 'text[]')}) is null"
        return known.absent or f"{known.sql} is null"

    def _text_term(self, sql: str, operator: str, value: Word) -> str:
        if operator == "~":
            return f"{sql} ilike {self._made.bind(_containing(value.text), 'text')}"
        return f"{sql} = {self._made.bind(value.text, 'text')}"

    def _version_term(self, known: QueryField, operator: str, value: Word) -> str:
        if operator == "~":
            return self._text_term(known.sql, operator, value)
        order = known.order or f"version_order({known.sql})"
        if operator == "=":
            place = self._made.bind(value.text, "text")
            return f"({known.sql} = {place} or {order} = version_order({place}))"
        if not is_version(value.text):
            raise self._refuse(value, f"{value.text} is not a version; write one such as 1.4.0 or 2.0-rc.1.")
        return f"{order} {operator} version_order({self._made.bind(value.text, 'text')})"

    def _time_term(self, known: QueryField, operator: str, value: Word) -> str:
        age = read_age(value.text)
        if age is not None and operator in _ORDERS:
            return f"{known.sql} {_OTHER_WAY[operator]} now() - {self._made.bind(age, 'interval')}"
        time = read_time(value.text)
        if time is None:
            raise self._refuse(
                value,
                f"{value.text} is neither an age, such as 30m, 1h or 7d, nor a time, such as 2026-03-01.",
            )
        return f"{known.sql} {operator} {self._made.bind(time, 'timestamptz')}"

    def _tag_term(self, known: QueryField, operator: str, value: Word) -> str:
        if operator == "~":
            return (
                f"array_to_string({known.sql}, ' ') ilike {self._made.bind(_containing(value.text), 'text')}"
            )
        return f"{known.sql} @> {self._made.bind([value.text], 'text[]')}"

    def _group_term(self, known: QueryField, value: Word) -> str:
        group = self._names.groups.get(value.text.lower())
        if group is None:
            raise self._refuse(value, f"There is no group {value.text} in this organization.")
        if isinstance(group, UUID):
            return known.sql.format(group=self._made.bind(group, "uuid"))
        try:
            return Compiler(self._vocabulary, self._names, group.text, self._made).compile(group.node)
        except QueryInvalid as error:
            said = f"The query of the group {value.text} does not hold any more: {error.message}"
            raise self._refuse(value, said) from None

    def _json_term(self, known: QueryField, path: list[str], operator: str, value: Word) -> str:
        made = self._made
        if operator == "~":
            return self._text_term(f"({known.sql} #>> {made.bind(path, 'text[]')})", operator, value)
        number = None if value.quoted else read_number(value.text)
        if operator == "=":
            meant: list[object] = [value.text]
            if number is not None:
                meant.insert(0, number)
            elif not value.quoted and value.text.lower() in ("true", "false"):
                meant.insert(0, value.text.lower() == "true")
            return f"({' or '.join(self._json_is(known.sql, path, item) for item in meant)})"
        place = made.bind(path, "text[]")
        if number is not None:
            found = f"({known.sql} #> {place})"
            return (
                f"(case when jsonb_typeof{found} = 'number' then {found}::numeric end"
                f" {operator} {made.bind(number, 'double precision')}::numeric)"
            )
        if not is_version(value.text):
            raise self._refuse(
                value,
                f"{operator} compares numbers and versions here, and {value.text} is neither. Use = or ~.",
            )
        sought = f"version_order({made.bind(value.text, 'text')})"
        return f"version_order({known.sql} #>> {place}) {operator} {sought}"

    def _json_is(self, sql: str, path: list[str], value: object) -> str:
        """Equal, or one of the items of a list there. By containment, which the indexes know, where that says it."""
        if any(part.lstrip("-").isdigit() for part in path):
            place = self._made.bind(path, "text[]")
            return f"({sql} #> {place}) = {self._made.bind(value, 'jsonb')}"
        exactly, inside = value, [value]
        for part in reversed(path):
            exactly, inside = {part: exactly}, {part: inside}
        return (
            f"({sql} @> {self._made.bind(exactly, 'jsonb')} or {sql} @> {self._made.bind(inside, 'jsonb')})"
        )

    def _number(self, known: QueryField, value: Word) -> float:
        number = read_number(value.text)
        if number is None:
            raise self._refuse(value, f"{known.name} is a number, and {value.text} is none.")
        return number

    def _choice(self, known: QueryField, value: Word) -> str:
        chosen = value.text.lower()
        if chosen not in known.values:
            raise self._refuse(
                value, f"{known.name} is {' or '.join(known.values)}.{_perhaps(chosen, known.values)}"
            )
        return chosen

    def _project(self, value: Word) -> UUID:
        project = self._names.projects.get(value.text.lower())
        if project is None:
            raise self._refuse(value, f"There is no project {value.text} in this organization.")
        return project

    def _device(self, value: Word) -> UUID:
        try:
            return ids.decode(ids.DEVICE, value.text)
        except MalformedId:
            raise self._refuse(value, f"{value.text} is not a device id; one looks like dev_01j….") from None

    def _no_field(self, name: Word) -> QueryInvalid:
        known = [item.name.removesuffix(".*") for item in self._vocabulary.fields()]
        if name.text.lower() in known:
            return self._refuse(name, f"Say what of {name.text}: {name.text}.something.")
        return self._refuse(name, f"There is no field {name.text}.{_perhaps(name.text.lower(), known)}")

    def _refuse(self, word: Word, message: str) -> QueryInvalid:
        return QueryInvalid(message, self._text, word.position, word.length)


def _containing(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _perhaps(written: str, known: list[str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(written, known, 1)
    return f" Did you mean {close[0]}?" if close else ""
