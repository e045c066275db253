"""The newest values of each device, gathered here and written a few seconds later, many devices at once.

They may be lost with the process: the device's next sample brings them again. So they cost ingest nothing but a
look-up, and PostgreSQL at most `_ROWS` updates every `_EVERY` seconds, however many samples come.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import structlog

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.model import Batch, Row
from edgeflow_protocol.telemetry import Sample

log = structlog.get_logger("edgeflow.telemetry")
_EVERY = 5.0  # seconds between writes
_ROWS = 1_000  # devices a write; the others wait for the next, the longest waiting first

_TIME = 2
_NAME, _CUSTOM_TIME, _VALUE = 2, 3, 5


class LatestMetrics:
    """What is to be written. One a process; it has no life of its own, it writes while there is something."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[TenantId, DeviceId], _Newest] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, context: Context, batches: Sequence[Batch]) -> None:
        """Remember the newest of each batch: they are committed."""
        for batch in batches:
            if not batch.rows:
                continue
            time = max(cast(datetime, row[_TIME]) for row in batch.rows)
            key = batch.tenant_id, batch.device_id
            known = self._waiting.get(key)
            if known is None or known.time <= time:
                self._waiting[key] = _newest(batch, time, known)
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._write_all(context.db), name="telemetry-latest")

    async def _write_all(self, db: Database) -> None:
        while self._waiting:
            await asyncio.sleep(_EVERY)
            keys = list(self._waiting)[:_ROWS]
            found = [(key, self._waiting.pop(key)) for key in keys]
            rows: list[Row] = [(*key, one.time, *one.values, one.custom) for key, one in found]
            try:
                async with db.ingest_tx() as tx:
                    await queries.upsert_latest(tx, rows)
            except Exception:  # the next samples bring newer ones
                log.warning("telemetry.latest_not_written", devices=len(rows), exc_info=True)


@dataclass(slots=True)
class _Newest:
    time: datetime
    values: tuple[float | None, ...]
    custom: dict[str, float]


def _newest(batch: Batch, time: datetime, known: _Newest | None) -> _Newest:
    """The batch's newest values; what its newest sample does not say is taken from what waits already."""
    values = _values(max(batch.samples, key=lambda sample: sample.time))
    custom: dict[str, float] = {}
    if known is not None:
        values = tuple(new if new is not None else old for new, old in zip(values, known.values, strict=True))
        custom = known.custom
    if batch.custom:
        rows = sorted(batch.custom, key=lambda row: cast(datetime, row[_CUSTOM_TIME]))
        custom = custom | {cast(str, row[_NAME]): cast(float, row[_VALUE]) for row in rows}
    return _Newest(time, values, custom)


def _values(sample: Sample) -> tuple[float | None, ...]:
    """In the order of queries.LATEST."""
    used = sum(disk.used_bytes or 0 for disk in sample.disks)
    total = sum(disk.total_bytes or 0 for disk in sample.disks if disk.used_bytes is not None)
    return (
        sample.cpu_percent,
        sample.memory_percent,
        sample.temperature_celsius,
        100 * used / total if total else None,
        sample.load_1,
        sample.uptime_seconds,
    )
