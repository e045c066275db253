"""What a query can ask: the fields, each with its type, its operators and its place in SQL. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class FieldType(StrEnum):
    """How a field's values are read and compared."""

    TEXT = "text"
    NUMBER = "number"
    VERSION = "version"
    TIME = "time"
    STATUS = "status"
    TAGS = "tags"
    GROUP = "group"
    PROJECT = "project"
    DEVICE = "device"
    JSON = "json"


_EQUAL = ("=", "!=", "in", "not in")
_ORDER = ("<", "<=", ">", ">=")
_PART = ("~", "!~")
OPERATORS: dict[FieldType, tuple[str, ...]] = {
    FieldType.TEXT: (*_EQUAL, *_PART),
    FieldType.NUMBER: (*_EQUAL, *_ORDER),
    FieldType.VERSION: (*_EQUAL, *_ORDER, *_PART),
    FieldType.TIME: ("=", "!=", *_ORDER),
    FieldType.STATUS: _EQUAL,
    FieldType.TAGS: (*_EQUAL, *_PART),
    FieldType.GROUP: _EQUAL,
    FieldType.PROJECT: _EQUAL,
    FieldType.DEVICE: _EQUAL,
    FieldType.JSON: (*_EQUAL, *_ORDER, *_PART),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryField:
    """One field of the query language.

    `name` is what people write; one that ends in `.*` stands for every path below it. `sql` is the value: an
    expression of the owner's `queries.py` over `d` (devices), `p` (their presence) and what `join` adds. `join` is a
    `join …` on `d.tenant_id` and `d.id`, at most one row a device. `flat`: what follows the dot is one key, dots and
    all, instead of a path. `order`: of a version, where it is kept as text that sorts (`version_order`). `absent` says
    that there is none, where `sql is null` does not. A group's `sql` has `{group}` where the id stands.
    """

    name: str
    type: FieldType
    description: str
    example: str
    sql: str
    join: str = ""
    values: tuple[str, ...] = ()
    flat: bool = False
    order: str = ""
    absent: str = ""

    @property
    def operators(self) -> tuple[str, ...]:
        """What may stand between the field and a value."""
        return OPERATORS[self.type]


class Vocabulary:
    """The fields that there are. `app` fills it once with what the subsystems offer, before anything is asked."""

    def __init__(self) -> None:
        self._fields: dict[str, QueryField] = {}

    def learn(self, fields: Iterable[object]) -> None:
        """Take the fields of a subsystem. Raises TypeError for what is none."""
        for field in fields:
            if not isinstance(field, QueryField):
                raise TypeError(f"{field!r} is not a QueryField")
            self._fields[field.name] = field

    def fields(self) -> list[QueryField]:
        """All of them, in the order learnt."""
        return list(self._fields.values())

    def find(self, name: str) -> tuple[QueryField, list[str]] | None:
        """The field that `name` means, and the path below it (empty for a plain field)."""
        exact = self._fields.get(name.lower())
        if exact is not None and not exact.name.endswith(".*"):
            return exact, []
        for field in self._fields.values():
            start = field.name.removesuffix("*")
            if field.name.endswith(".*") and name.lower().startswith(start) and len(name) > len(start):
                rest = name[len(start) :]
                path = [rest] if field.flat else rest.split(".")
                return None if "" in path else (field, path)
        return None


VOCABULARY = Vocabulary()
