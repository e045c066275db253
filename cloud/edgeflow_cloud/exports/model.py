"""What an archive is, and what is not in one. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

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
