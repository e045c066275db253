"""What an organization's archive holds beside copies of tables: files that a subsystem makes, device by device."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Archived:
    """One file of an archive. `tables` are those whose rows are in it: they are not copied by themselves.

    `statement` comes from the owner's queries.py: one SELECT of one column `document`, a row as a JSON object in text,
    with `$1` the organization (uuid) and `$2` the device (uuid) whose rows it reads, the oldest first.
    """

    file: str
    tables: tuple[str, ...]
    statement: str
