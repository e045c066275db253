"""Samples on disk until the cloud has them, within a size (of the samples; a batch's brackets and commas,
one more than its samples, do not count, so that sealing changes nothing).

A sample is first open; `next_batch` seals up to ten open ones of one boot into a batch with that boot's next
sequence number. From then on number and content belong together for ever: a batch is sent again as it was,
and the cloud drops what it has. Batches leave by `acknowledge` or, oldest first, when the spool is full:
those are counted.
"""

from __future__ import annotations

import logging
import sqlite3

import msgspec

from edgeflow_protocol.telemetry import Sample

from ..state import Database, StateError

_log = logging.getLogger(__name__)
_BATCH = 10
_FREE_PAGES = 128
_DROPPED = "dropped_samples"
_DROP_BATCH = (
    "delete from batches where position = (select min(position) from batches)"
    " returning length(body) - samples - 1, samples"
)
_DROP_SAMPLE = (
    "delete from samples where position = (select min(position) from samples) returning length(body), 1"
)
_encoder = msgspec.json.Encoder()
_samples = msgspec.json.Decoder(list[Sample])


class Batch(msgspec.Struct, frozen=True):
    """A sealed batch; `position` orders all batches of the spool, over boots."""

    position: int
    boot_id: str
    sequence: int
    samples: list[Sample]


class Spool:
    """The samples of this device, oldest first. `dropped` counts those that were lost since the folder was
    made.
    """

    def __init__(self, database: Database, boot_id: str, limit: int) -> None:
        self._database = database
        self._boot_id = boot_id
        self._limit = limit
        self._bytes = 0
        self._unwritten = 0
        self.dropped = 0

    async def open(self) -> None:
        """Take over what earlier boots left, and begin this boot's numbering. Raises StateError."""
        boot_id = self._boot_id

        def begin(db: sqlite3.Connection) -> tuple[int, int]:
            db.execute(
                "delete from boots where boot_id not in (select boot_id from batches)"
                " and boot_id not in (select boot_id from samples)"
            )
            db.execute("insert into boots (boot_id, last_sequence) values (?, 0)", (boot_id,))
            return _size(db), _counter(db)

        self._bytes, self.dropped = await self._database.run(begin)

    @property
    def size(self) -> int:
        """Bytes that the kept samples take, without SQLite's own share."""
        return self._bytes

    async def append(self, sample: Sample) -> bool:
        """Keep the sample; when this returns it survives a power cut. False when the disk did not take it:
        counted.
        """
        body = _encoder.encode(sample)
        # What could not be written earlier is counted with the next that can.
        lost = self._unwritten

        def insert(db: sqlite3.Connection) -> tuple[int, int]:
            db.execute("insert into samples (boot_id, body) values (?, ?)", (self._boot_id, body))
            freed, dropped = _make_room(db, self._bytes + len(body) - self._limit)
            if dropped + lost:
                _count_dropped(db, dropped + lost)
            return freed, dropped

        try:
            freed, dropped = await self._database.run(insert)
        except StateError as error:
            if self._unwritten == 0:
                _log.error("Measurements are being lost: %s", error)
            self._unwritten += 1
            self.dropped += 1
            return False
        if lost:
            _log.warning("Measurements are kept again; %d were lost.", lost)
        if dropped:
            _log.warning("The spool is full: the %d oldest measurements were dropped.", dropped)
        self._unwritten -= lost
        self._bytes += len(body) - freed
        self.dropped += dropped
        return True

    async def next_batch(self, after: int = 0) -> Batch | None:
        """The oldest batch beyond position `after`, sealing open samples if there is none; None when all is
        sent.
        """

        def find(db: sqlite3.Connection) -> Batch | None:
            return _sealed(db, after) or _seal(db, after)

        return await self._database.run(find)

    async def acknowledge(self, boot_id: str, sequence: int) -> int:
        """The cloud has this and all lower sequences of the boot: forget them. Returns how many batches went.

        A power cut may bring some back; they are sent again under their old numbers, and the cloud knows
        them.
        """
        return await self._forget(boot_id, 1, sequence)

    async def discard(self, boot_id: str, sequence: int) -> int:
        """The cloud can never store this one batch: forget it alone, and count its samples as dropped."""

        def count(db: sqlite3.Connection) -> int:
            row = db.execute(
                "select samples from batches where boot_id = ? and sequence = ?", (boot_id, sequence)
            ).fetchone()
            samples = int(row[0]) if row else 0
            if samples:
                _count_dropped(db, samples)
            return samples

        lost = await self._database.run(count, lazily=True)
        self.dropped += lost
        await self._forget(boot_id, sequence, sequence)
        return lost

    async def waiting(self) -> int:
        """How many samples the cloud does not have yet."""

        def count(db: sqlite3.Connection) -> int:
            (batched,) = db.execute("select coalesce(sum(samples), 0) from batches").fetchone()
            (open_samples,) = db.execute("select count(*) from samples").fetchone()
            return int(batched) + int(open_samples)

        return await self._database.run(count, lazily=True)

    async def _forget(self, boot_id: str, lowest: int, highest: int) -> int:
        def delete(db: sqlite3.Connection) -> tuple[int, int]:
            rows = db.execute(
                "delete from batches where boot_id = ? and sequence between ? and ?"
                " returning length(body) - samples - 1",
                (boot_id, lowest, highest),
            ).fetchall()
            (free,) = db.execute("pragma freelist_count").fetchone()
            if free > _FREE_PAGES:  # After a long absence the file shrinks again, a little with each answer.
                db.execute(f"pragma incremental_vacuum({_FREE_PAGES})").fetchall()
            return len(rows), sum(int(size) for (size,) in rows)

        count, freed = await self._database.run(delete, lazily=True)
        self._bytes -= freed
        return count


def _sealed(db: sqlite3.Connection, after: int) -> Batch | None:
    row = db.execute(
        "select position, boot_id, sequence, body from batches where position > ? order by position limit 1",
        (after,),
    ).fetchone()
    return Batch(int(row[0]), str(row[1]), int(row[2]), _samples.decode(row[3])) if row else None


def _seal(db: sqlite3.Connection, after: int) -> Batch | None:
    rows = db.execute(
        "select position, boot_id, body from samples order by position limit ?", (_BATCH,)
    ).fetchall()
    if not rows:
        return None
    boot_id = str(rows[0][1])
    mine = [row for row in rows if row[1] == boot_id]
    (sequence,) = db.execute(
        "update boots set last_sequence = last_sequence + 1 where boot_id = ? returning last_sequence",
        (boot_id,),
    ).fetchone()
    body = b"[" + b",".join(bytes(row[2]) for row in mine) + b"]"
    db.execute(
        "insert into batches (boot_id, sequence, samples, body) values (?, ?, ?, ?)",
        (boot_id, sequence, len(mine), body),
    )
    db.execute("delete from samples where position <= ? and boot_id = ?", (mine[-1][0], boot_id))
    return _sealed(db, after)


def _make_room(db: sqlite3.Connection, excess: int) -> tuple[int, int]:
    """Drop the oldest until `excess` bytes are free: batches first, they are older than any open sample."""
    freed = dropped = 0
    while freed < excess:
        row = db.execute(_DROP_BATCH).fetchone() or db.execute(_DROP_SAMPLE).fetchone()
        if row is None:
            break
        freed += int(row[0])
        dropped += int(row[1])
    return freed, dropped


def _count_dropped(db: sqlite3.Connection, samples: int) -> None:
    db.execute(
        "insert into counters (name, value) values (?, ?)"
        " on conflict (name) do update set value = value + excluded.value",
        (_DROPPED, samples),
    )


def _size(db: sqlite3.Connection) -> int:
    (batches,) = db.execute("select coalesce(sum(length(body) - samples - 1), 0) from batches").fetchone()
    (samples,) = db.execute("select coalesce(sum(length(body)), 0) from samples").fetchone()
    return int(batches) + int(samples)


def _counter(db: sqlite3.Connection) -> int:
    row = db.execute("select value from counters where name = ?", (_DROPPED,)).fetchone()
    return int(row[0]) if row else 0
