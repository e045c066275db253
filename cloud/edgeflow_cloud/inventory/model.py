"""What the file's columns are, and what one line of it asks for. Pure."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edgeflow_cloud.devices import LIMITS, Place
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, MalformedId

COLUMNS = (
    "device_id", "name", "tags", "notes", "place_name", "latitude", "longitude", "group", "project",
)  # fmt: skip
SHOWN = ("status", "last_seen_at", "firmware_version", "agent_version", "created_at")
"""Columns that an export has besides: what they say is not for people to write, so an import passes over them."""
ALIASES = {"groups": "group", "place": "place_name", "tag": "tags", "id": "device_id"}
_SEPARATORS = re.compile(r"[\s,]+")
_FORMULA = tuple("=+-@＝＋－＠")
"""What spreadsheets take for a formula's beginning, full width too."""


class Outcome(StrEnum):
    """What came of a line; in a dry run, what would come of it."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: its number as an editor counts, and its cells by column; `error` if they are not one
    for each column.
    """

    number: int
    cells: Mapping[str, str]
    error: str | None = None


@dataclass(slots=True)
class Draft:
    """What a line asks for; None for a column that the file has not. `raw` are the cells as they stand."""

    line: int
    raw: Mapping[str, str]
    device_id: DeviceId | None = None
    name: str | None = None
    notes: str | None = None
    tags: tuple[str, ...] | None = None
    place_name: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    groups: tuple[str, ...] | None = None
    project: str | None = None
    errors: list[str] = field(default_factory=list[str])

    def place(self, before: Place) -> Place:
        """The place that it asks for, where `before` is the one that it has."""
        return Place(
            (self.place_name or None) if "place_name" in self.raw else before.name,
            self.latitude if "latitude" in self.raw else before.latitude,
            self.longitude if "longitude" in self.raw else before.longitude,
        )


@dataclass(slots=True)
class Result:
    """What came of a line. `changed` are the columns that differ; the key of a new device is shown this once."""

    line: int
    name: str
    outcome: Outcome = Outcome.UNCHANGED
    device_id: DeviceId | None = None
    changed: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])
    api_key: str | None = None

    def fail(self, *errors: str) -> None:
        """Refuse the line."""
        self.outcome, self.errors, self.changed = Outcome.FAILED, [*self.errors, *errors], []


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a file, a result for each line, in its order."""

    rows: Sequence[Result]

    def count(self, outcome: Outcome) -> int:
        """How many lines came to it."""
        return sum(row.outcome is outcome for row in self.rows)


def guard(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before what would be one, and before what
    `unguard` would take one from.
    """
    return f"'{cell}" if _is_dangerous(cell) else cell


def unguard(cell: str) -> str:
    """What `guard` was given."""
    return cell[1:] if cell.startswith("'") and _is_dangerous(cell) else cell


def _is_dangerous(cell: str) -> bool:
    bare = cell.lstrip("'")
    return bare.startswith(("\t", "\r", "\n")) or bare.lstrip("' \t\r\n").startswith(_FORMULA)


def join_groups(names: Sequence[str]) -> str:
    """Names of groups as one cell: by commas, in quotes where a name holds one."""
    parts = [
        f'"{name.replace(chr(34), chr(34) * 2)}"' if re.search(r'[,"\r\n]|^\s|\s$', name) else name
        for name in names
    ]
    return ", ".join(parts)


def split_groups(cell: str) -> tuple[str, ...]:
    """What `join_groups` was given. Raises ValueError for a quote that is not closed."""
    if not cell.strip():
        return ()
    try:
        named = next(csv.reader([cell], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return tuple(dict.fromkeys(name.strip() for name in named if name.strip()))


def draft(line: Line, *, decimal_comma: bool = False) -> Draft:
    """What the line asks for, with all that is wrong with it as it stands. `decimal_comma`: 52,5 is a number."""
    cells = line.cells
    made = Draft(line.number, cells)
    if line.error:
        made.errors.append(line.error)
        return made
    if written := cells.get("device_id", "").strip():
        try:
            made.device_id = DeviceId(ids.decode(ids.DEVICE, written))
        except MalformedId:
            made.errors.append(
                f"{written[:40]!r} is not the id of a device (dev_ and 26 characters). "
                "Leave the cell empty for a new device."
            )
    if "name" in cells:
        made.name = cells["name"].strip()
        _require(made, bool(made.name), "The name is empty. Write one.")
        _require_short(made, "name", made.name, LIMITS.name)
    if "notes" in cells:
        made.notes = cells["notes"].strip()
        _require_short(made, "notes", made.notes, LIMITS.notes)
    if "place_name" in cells:
        made.place_name = cells["place_name"].strip()
        _require_short(made, "place_name", made.place_name, LIMITS.name)
    if "tags" in cells:
        made.tags = tuple(dict.fromkeys(tag for tag in _SEPARATORS.split(cells["tags"]) if tag))
        _check_tags(made, made.tags)
    made.latitude = _number(made, "latitude", 90, decimal_comma)
    made.longitude = _number(made, "longitude", 180, decimal_comma)
    if "group" in cells:
        try:
            made.groups = split_groups(cells["group"])
        except ValueError:
            made.errors.append(
                "group: a quote is not closed. Names go by commas, those that hold a comma in quotes."
            )
    if "project" in cells:
        made.project = cells["project"].strip()
    return made


def _require(made: Draft, holds: bool, said: str) -> None:
    if not holds:
        made.errors.append(said)


def _require_short(made: Draft, column: str, text: str, most: int) -> None:
    _require(made, len(text) <= most, f"{column} has {len(text):,} characters, and {most:,} is the most.")


def _check_tags(made: Draft, tags: Sequence[str]) -> None:
    _require(made, len(tags) <= LIMITS.tags, f"There are {len(tags)} tags, and {LIMITS.tags} is the most.")
    for tag in tags:
        _require(made, '"' not in tag, f"The tag {tag[:40]} holds a quote. Write it without.")
        _require_short(made, f"The tag {tag[:20]}…", tag, LIMITS.tag)


def _number(made: Draft, column: str, most: int, decimal_comma: bool) -> float | None:
    cell = made.raw.get(column, "").strip()
    if not cell:
        return None
    plain = cell.replace(",", ".") if decimal_comma and "." not in cell else cell
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d*)?([eE][+-]?\d{1,3})?", plain) and abs(float(plain)) <= most:
        return float(plain)
    made.errors.append(
        f"{column} {cell[:40]!r} is not a number from -{most} to {most}. Write degrees, like 52.52."
    )
    return None
