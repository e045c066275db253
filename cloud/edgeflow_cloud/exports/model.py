"""What an archive is, and what is not in one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from edgeflow_cloud.kernel.ids import ExportId

LIFE: Final = timedelta(days=7)
"""How long an archive can be downloaded."""

LEFT_OUT: Final = frozenset(
    {
        "sessions",  # log-ins, worthless outside
        "idempotency_keys",  # answers of calls
        "outbox",  # what is on its way
        "telemetry_cursors",  # bookkeeping
        "rollups_due",
    }
)
"""Tables that are not in an archive."""


@dataclass(frozen=True, slots=True)
class Export:
    """One archive: `waiting`, `done` (with its size in bytes) or `failed`; `progress` in percent, `rows` so far."""

    id: ExportId
    state: str
    progress: int
    rows: int
    size: int | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class File(Protocol):
    """`infra.archive.Archived`, as far as it matters here."""

    @property
    def file(self) -> str: ...
    @property
    def tables(self) -> tuple[str, ...]: ...
    @property
    def statement(self) -> str: ...


class Files:
    """The files that subsystems contribute. `app` fills it once with what they offer."""

    def __init__(self) -> None:
        self._files: list[File] = []

    def learn(self, files: Iterable[File]) -> None:
        """Take a subsystem's files."""
        self._files.extend(files)

    def all(self) -> list[File]:
        """All of them, low to high."""
        return list(self._files)

    def tables(self) -> set[str]:
        """The tables whose rows stand in one of them."""
        return {table for file in self._files for table in file.tables}


FILES = Files()
