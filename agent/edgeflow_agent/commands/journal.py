"""Every command id that this device ever began, on disk before it runs: the ground for "at most once"."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import msgspec

from ..state import Database, StateError

_KEPT_COMMANDS = 2000
_KEPT_BYTES = 16 * 1024 * 1024


class Recorded(msgspec.Struct, frozen=True):
    """What is known of an id. `response` is the whole frame as sent; None: begun, and how it ended is not
    known.
    """

    action: str
    response: bytes | None


class Journal:
    """Two durable writes a command: before it runs, and its response before that is sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, command_id: str, action: str) -> Recorded | None:
        """None: the id is new, now recorded, and may run. Else what an earlier time left. Raises
        StateError.
        """
        if self._database.lost:
            raise StateError(self._database.lost)
        now = datetime.now(UTC).isoformat()

        def insert(db: sqlite3.Connection) -> Recorded | None:
            row = db.execute("select action, response from commands where id = ?", (command_id,)).fetchone()
            if row is not None:
                return Recorded(str(row[0]), row[1])
            db.execute(
                "insert into commands (id, action, received_at) values (?, ?, ?)", (command_id, action, now)
            )
            _forget_oldest(db)
            return None

        return await self._database.run(insert)

    async def finish(self, command_id: str, response: bytes) -> None:
        """Record how it ended. Raises StateError."""

        def update(db: sqlite3.Connection) -> None:
            db.execute("update commands set response = ? where id = ?", (response, command_id))

        await self._database.run(update)


def _forget_oldest(db: sqlite3.Connection) -> None:
    """Bounded: the newest 2,000 ids, twice what the cloud queues for a device, and 16 MiB of responses."""
    (newest,) = db.execute("select max(position) from commands").fetchone()
    db.execute("delete from commands where position <= ?", (newest - _KEPT_COMMANDS,))
    if newest % 50 == 0:
        db.execute(
            "delete from commands where position <= (select max(position) from (select position,"
            " sum(length(response)) over (order by position desc) as total from commands) where total > ?)",
            (_KEPT_BYTES,),
        )
