"""Events or log lines on disk until they are acknowledged, within a size.

As with measurements: entries are open until `next_batch` seals some of one boot under that boot's next number; from
then on number and content belong together. Entries come in by `put`, which never waits: they are written together
every second or two. What the memory or the disk cannot hold is dropped, the oldest first, and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections import deque

import msgspec

from ..state import Database, StateError

_log = logging.getLogger(__name__)
_PENDING = 1000
_encoder = msgspec.json.Encoder()


class ReportBatch(msgspec.Struct, frozen=True):
    """A sealed batch; `position` orders all batches, over boots."""

    position: int
    boot_id: str
    sequence: int
    entries: list[dict[str, object]]


class ReportSpool:
    """Entries of one `kind` (`events` or `logs`), written every `pause` seconds. A crash takes nothing that was
    written, a power cut what came since the last batch was sealed."""

    def __init__(
        self,
        database: Database,
        kind: str,
        boot_id: str,
        *,
        limit: int,
        batch: int = 50,
        batch_bytes: int = 64 * 1024,
        pause: float = 1.0,
    ) -> None:
        self._database = database
        self._kind = kind
        self._boot_id = boot_id
        self._limit = limit
        self._batch = batch
        self._batch_bytes = batch_bytes
        self._pause = pause
        self._pending: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._size = 0
        self.dropped = 0
        self.wake = _nothing
        """Called when something new is on the disk."""

    async def open(self) -> None:
        """Take over what earlier boots left. Raises StateError."""
        kind, boot_id = self._kind, self._boot_id

        def begin(db: sqlite3.Connection) -> int:
            db.execute(
                "delete from report_boots where kind = ? and boot_id not in"
                " (select boot_id from report_batches where kind = ? union"
                " select boot_id from report_entries where kind = ?)",
                (kind, kind, kind),
            )
            db.execute(
                "insert into report_boots (kind, boot_id, last_sequence) values (?, ?, 0)", (kind, boot_id)
            )
            (size,) = db.execute(
                "select coalesce((select sum(length(body)) from report_entries where kind = ?), 0)"
                " + coalesce((select sum(length(body)) from report_batches where kind = ?), 0)",
                (kind, kind),
            ).fetchone()
            return int(size)

        self._size = await self._database.run(begin)

    def put(self, entry: object) -> None:
        """Keep the entry soon. Never waits, never raises; when too many wait the oldest goes."""
        if len(self._pending) >= _PENDING:
            self._pending.popleft()
            self.dropped += 1
        self._pending.append(_encoder.encode(entry))
        self._news.set()

    async def run(self) -> None:
        """Write what comes, until cancelled; then what is left."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self._write()
                await asyncio.sleep(self._pause)
        finally:
            with contextlib.suppress(StateError):
                await self._write()

    async def _write(self) -> None:
        bodies = list(self._pending)
        if not bodies:
            return
        self._pending.clear()

        def insert(db: sqlite3.Connection) -> tuple[int, int]:
            db.executemany(
                "insert into report_entries (kind, boot_id, body) values (?, ?, ?)",
                [(self._kind, self._boot_id, body) for body in bodies],
            )
            return self._make_room(db, self._size + sum(map(len, bodies)) - self._limit)

        try:
            freed, dropped = await self._database.run(insert, lazily=True)
        except StateError:
            # Said by whoever measures; here a log line about it would only make one more to write.
            self._pending.extendleft(reversed(bodies))
            while len(self._pending) > _PENDING:
                self._pending.popleft()
                self.dropped += 1
            return
        self._size += sum(map(len, bodies)) - freed
        self.dropped += dropped
        self.wake()

    async def next_batch(self, after: int = 0) -> ReportBatch | None:
        """The oldest batch beyond position `after`, sealing open entries if there is none; None when all is sent."""

        sealed = await self._database.run(lambda db: self._sealed(db, after), lazily=True)
        # A number that was given out must stay with its content, also over a power cut: never lazily.
        return sealed or await self._database.run(lambda db: self._seal(db, after))

    async def acknowledge(self, boot_id: str, sequence: int) -> int:
        """The cloud has this and all lower sequences of the boot: forget them. Returns how many batches went."""
        return len(await self._forget(boot_id, 1, sequence))

    async def discard(self, boot_id: str, sequence: int) -> int:
        """The cloud can never store this one: forget it alone. Returns how many entries went."""
        lost = sum(await self._forget(boot_id, sequence, sequence))
        self.dropped += lost
        return lost

    async def _forget(self, boot_id: str, lowest: int, highest: int) -> list[int]:
        def delete(db: sqlite3.Connection) -> tuple[list[int], int]:
            rows = db.execute(
                "delete from report_batches where kind = ? and boot_id = ? and sequence between ? and ?"
                " returning entries, length(body)",
                (self._kind, boot_id, lowest, highest),
            ).fetchall()
            return [int(row[0]) for row in rows], sum(int(row[1]) for row in rows)

        entries, freed = await self._database.run(delete, lazily=True)
        self._size -= freed
        return entries

    def _sealed(self, db: sqlite3.Connection, after: int) -> ReportBatch | None:
        row = db.execute(
            "select position, boot_id, sequence, body from report_batches"
            " where kind = ? and position > ? order by position limit 1",
            (self._kind, after),
        ).fetchone()
        if row is None:
            return None
        entries = msgspec.json.decode(row[3], type=list[dict[str, object]])
        return ReportBatch(int(row[0]), str(row[1]), int(row[2]), entries)

    def _seal(self, db: sqlite3.Connection, after: int) -> ReportBatch | None:
        rows = db.execute(
            "select position, boot_id, body from report_entries where kind = ? order by position limit ?",
            (self._kind, self._batch),
        ).fetchall()
        mine: list[tuple[int, bytes]] = []
        size = 0
        for position, boot_id, body in rows:
            size += len(body)
            if boot_id != rows[0][1] or (mine and size > self._batch_bytes):
                break
            mine.append((int(position), bytes(body)))
        if not mine:
            return None
        boot_id = str(rows[0][1])
        (sequence,) = db.execute(
            "update report_boots set last_sequence = last_sequence + 1 where kind = ? and boot_id = ?"
            " returning last_sequence",
            (self._kind, boot_id),
        ).fetchone()
        body = b"[" + b",".join(entry for _, entry in mine) + b"]"
        db.execute(
            "insert into report_batches (kind, boot_id, sequence, entries, body) values (?, ?, ?, ?, ?)",
            (self._kind, boot_id, sequence, len(mine), body),
        )
        db.execute(
            "delete from report_entries where kind = ? and boot_id = ? and position <= ?",
            (self._kind, boot_id, mine[-1][0]),
        )
        self._size += len(mine) + 1
        return self._sealed(db, after)

    def _make_room(self, db: sqlite3.Connection, excess: int) -> tuple[int, int]:
        """Drop the oldest until `excess` bytes are free: batches first, they are older than any open entry."""
        freed = dropped = 0
        while freed < excess:
            row = (
                db.execute(
                    "delete from report_batches where position ="
                    " (select min(position) from report_batches where kind = ?) returning length(body), entries",
                    (self._kind,),
                ).fetchone()
                or db.execute(
                    "delete from report_entries where position ="
                    " (select min(position) from report_entries where kind = ?) returning length(body), 1",
                    (self._kind,),
                ).fetchone()
            )
            if row is None:
                break
            freed += int(row[0])
            dropped += int(row[1])
        return freed, dropped


def _nothing() -> None:
    """Nobody waits yet."""
