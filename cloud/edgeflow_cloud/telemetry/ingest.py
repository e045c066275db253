"""The way of a batch into PostgreSQL: gathered over devices, one COPY a flush, answered after the commit.

Nothing of it must survive a crash: what was not acknowledged is sent again, and the cursor tells what is
there.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from weakref import WeakKeyDictionary

import asyncpg
import structlog

from edgeflow_cloud.devices import Fence, presence
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database, GuardFailed, Transaction
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.custom import CustomNames
from edgeflow_cloud.telemetry.latest import LatestMetrics
from edgeflow_cloud.telemetry.live import LiveSamples
from edgeflow_cloud.telemetry.measures import FLUSHED, REFUSED, STORED
from edgeflow_cloud.telemetry.model import Batch, Refused
from edgeflow_cloud.telemetry.partitions import Place, make_partitions, places_of
from edgeflow_cloud.telemetry.reports.storing import store_reports
from edgeflow_cloud.tunnel import Superseded

log = structlog.get_logger("edgeflow.telemetry")

_LINGER = 0.1  # seconds from the first waiting batch to its flush: others join it, and a flush costs the same for many
_FLUSH_ROWS = 2_000  # rows that start a flush at once, and about what one transaction holds
_FLUSHERS = 2  # flushes at once: as many as the ingest pool has connections
_CAPACITY = (
    50_000  # rows that may wait in this process; then senders wait, and at last their sockets are not read
)
_GAPS = 100_000  # runs whose gap is remembered
_PATIENCE = 10.0  # seconds a batch may wait; then it is not answered, and the device sends it again

_PASSING = (Unavailable, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError, TimeoutError)


@dataclass(slots=True, eq=False)
class _Waiting:
    batch: Batch
    fence: Fence
    stored: asyncio.Future[None]
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = max(1, self.batch.size)


class Ingest:
    """One a process (`Ingest.of(context)`). It has no life of its own: it flushes while something waits."""

    _instances: ClassVar["WeakKeyDictionary[Database, Ingest]"] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._queued = 0  # rows that wait
        self._held = 0  # rows that wait or are being written
        self._gaps: dict[queries.Run, tuple[int, int]] = {}
        """Runs with a batch that was not stored: the connection's epoch and that sequence number."""
        self._room = asyncio.Condition()
        self._full = asyncio.Event()
        self._flushers = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._days: set[Place] = set()
        self._live = LiveSamples()
        self._latest = LatestMetrics()
        self.custom = CustomNames()

    @classmethod
    def of(cls, context: Context) -> "Ingest":
        """The ingest that writes to this process's database."""
        found = cls._instances.get(context.db)
        if found is None:
            found = cls._instances[context.db] = cls()
        return found

    async def store(self, context: Context, batch: Batch, epoch: int) -> None:
        """Return once the batch, and all before it of its run, is committed. `epoch` is its connection's.

        Raises Refused when it can never be stored, Unavailable when it could not be stored in ten seconds,
        Superseded when a newer connection of the device was in by then.
        """
        self._refuse_beyond_gap(batch, epoch)
        fence = Fence(batch.tenant_id, batch.device_id, epoch)
        waiting = _Waiting(batch, fence, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(_PATIENCE):
                if self._held >= _CAPACITY:
                    async with self._room:
                        await self._room.wait_for(lambda: self._held < _CAPACITY)
                self._add(context, waiting)
                await waiting.stored
        except Refused:
            raise  # it is answered, and the device drops it: no gap
        except TimeoutError:
            self._note_gap(batch, epoch)
            raise Unavailable("Measurements cannot be stored at the moment; send them again.") from None
        except Exception:
            self._note_gap(batch, epoch)
            raise

    def _refuse_beyond_gap(self, batch: Batch, epoch: int) -> None:
        """What follows a batch that was not stored must wait for it: storing it would move the cursor over the
        gap, and its acknowledgement would have the device forget both. A new connection begins with the oldest.
        """
        gap = self._gaps.get(batch.run)
        if gap is None:
            return
        if gap[0] == epoch and batch.sequence > gap[1]:
            raise Unavailable("An earlier batch could not be stored; send that one again first.")
        del self._gaps[batch.run]

    def _note_gap(self, batch: Batch, epoch: int) -> None:
        self._gaps[batch.run] = (epoch, batch.sequence)
        if len(self._gaps) > _GAPS:  # runs whose device went elsewhere: they have been stored there
            del self._gaps[next(iter(self._gaps))]

    def _add(self, context: Context, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._queued += waiting.rows
        self._held += waiting.rows
        if self._queued >= _FLUSH_ROWS:
            self._full.set()
        # One flusher is enough until a whole flush waits behind it; then a second uses the time of its commit.
        if not self._flushers or (self._flushers < _FLUSHERS and self._queued >= _FLUSH_ROWS):
            self._flushers += 1
            task = asyncio.create_task(self._flush_all(context), name="telemetry-flush")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _flush_all(self, context: Context) -> None:
        """Flush until nothing waits; no await between the last look and the count, so none is forgotten."""
        try:
            while self._waiting:
                await self._flush_some(context)
        finally:
            self._flushers -= 1

    async def _flush_some(self, context: Context) -> None:
        """Gather for a moment unless enough waits already, then flush what there is."""
        if self._queued < _FLUSH_ROWS:
            self._full.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER):
                    await self._full.wait()
        taken = self._take()
        try:
            await self._flush(context, taken)
        except Exception as error:  # nobody else would hear of it, and those who wait must
            log.exception("telemetry.flush_failed", batches=len(taken))
            _settle(taken, error)
        async with self._room:
            self._held -= sum(waiting.rows for waiting in taken)
            self._room.notify_all()

    def _take(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        rows = 0
        while self._waiting and rows < _FLUSH_ROWS:
            waiting = self._waiting.popleft()
            self._queued -= waiting.rows
            if waiting.stored.cancelled():  # its sender gave up; it will come again
                self._held -= waiting.rows
                continue
            rows += waiting.rows
            taken.append(waiting)
        return taken

    async def _flush(self, context: Context, taken: list[_Waiting], *, again: bool = False) -> None:
        """Store all of `taken`, or find by halving the one that cannot be, and refuse it alone."""
        if not taken:
            return
        try:
            with FLUSHED.time():
                written = await self._write(context.db, taken)
        except GuardFailed:
            await self._flush(context, await self._without_stale(context.db, taken))
        except _PASSING as error:
            log.warning("telemetry.not_stored", batches=len(taken), error=str(error) or type(error).__name__)
            _settle(taken, Unavailable("Measurements cannot be stored at the moment; send them again."))
            await asyncio.sleep(0.2)
        except (asyncpg.PostgresError, ValueError, TypeError, OverflowError) as error:
            if isinstance(error, asyncpg.CheckViolationError) and not again:
                self._days.clear()  # a partition that we knew was dropped meanwhile
                await self._flush(context, taken, again=True)
                return
            if len(taken) > 1:
                middle = len(taken) // 2
                await self._flush(context, taken[:middle])
                await self._flush(context, taken[middle:])
                return
            REFUSED.inc()
            log.warning("telemetry.refused", device=str(taken[0].batch.device_id), error=str(error))
            _settle(
                taken,
                Refused("The batch cannot be stored; a value in it is out of range, or the device is gone."),
            )
        else:
            _settle(taken, None)
            STORED.inc(sum(len(batch.rows) for batch in written))
            self._live.publish(context, written)
            self._latest.note(context, written)

    async def _without_stale(self, db: Database, taken: list[_Waiting]) -> list[_Waiting]:
        """Those of `taken` whose connection is still the device's newest; the others are not stored."""
        async with db.ingest_tx() as tx:
            current = await presence.list_current(tx, [waiting.fence for waiting in taken])
        _settle([waiting for waiting in taken if waiting.fence not in current], Superseded())
        return [waiting for waiting in taken if waiting.fence in current]

    async def _write(self, db: Database, taken: list[_Waiting]) -> list[Batch]:
        """One transaction: what is not there yet is written, the cursors move. Answers what was written.

        Raises GuardFailed, and nothing is written, when one of the connections has a successor.
        """
        batches = [waiting.batch for waiting in taken]
        guard = presence.guard(list({waiting.fence for waiting in taken}))
        missing = places_of(batches) - self._days
        if missing:
            await make_partitions(db, missing)
            self._days |= missing
        async with db.ingest_tx(guard=guard) as tx:
            positions = await _positions(tx, batches)
            new: list[Batch] = []
            moved: dict[queries.Run, int] = {}
            for batch in sorted(batches, key=lambda one: one.sequence):
                if batch.sequence > positions[batch.run]:
                    positions[batch.run] = moved[batch.run] = batch.sequence
                    new.append(batch)
            await queries.copy_samples(tx, new)
            if custom := [row for batch in new for row in batch.custom]:
                await queries.copy_custom(tx, custom)
            await store_reports(tx, new)
            if moved:
                await queries.move_cursors(tx, moved, _spans(moved, new))
        return new


async def _positions(tx: Transaction, batches: list[Batch]) -> dict[queries.Run, int]:
    """The locked positions of the batches' runs; new runs start at 0."""
    runs = sorted({batch.run for batch in batches})
    positions = await queries.lock_cursors(tx, runs)
    unknown = [run for run in runs if run not in positions]
    if unknown:
        await queries.add_cursors(tx, unknown)
        positions |= await queries.lock_cursors(tx, unknown)
    return positions


def _spans(
    runs: Iterable[queries.Run], batches: list[Batch]
) -> list[tuple[datetime | None, datetime | None]]:
    """The oldest and the newest time of each run's samples."""
    spans: dict[queries.Run, tuple[datetime, datetime]] = {}
    for batch in batches:
        oldest, newest = batch.span
        if oldest is None or newest is None:
            continue
        known = spans.get(batch.run)
        spans[batch.run] = (min(oldest, known[0]), max(newest, known[1])) if known else (oldest, newest)
    return [spans.get(run, (None, None)) for run in runs]


def _settle(taken: list[_Waiting], error: Exception | None) -> None:
    for waiting in taken:
        if waiting.stored.done():
            continue
        if error is None:
            waiting.stored.set_result(None)
        else:
            waiting.stored.set_exception(error)
