"""One SQLite file for what changes often: the command journal and the spool. One thread of its own talks to
it.

A transaction is on the disk when it returns (`synchronous=FULL` on a write-ahead log), unless it says
`lazily`: then it survives the process, but a power cut may undo it. A damaged file is set aside and a new one
begun.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from .disk import takes_nothing
from .errors import StateError
from .folder import StateFolder

_log = logging.getLogger(__name__)
_NAME = "agent.db"
_VERSION = 1
_SCHEMA = """
create table if not exists commands (
    position integer primary key autoincrement,
    id text not null unique,
    action text not null,
    received_at text not null,
    response blob
);
create table if not exists samples (
    position integer primary key autoincrement,
    boot_id text not null,
    body blob not null
);
create table if not exists batches (
    position integer primary key autoincrement,
    boot_id text not null,
    sequence integer not null,
    samples integer not null,
    body blob not null,
    unique (boot_id, sequence)
);
create table if not exists boots (boot_id text primary key, last_sequence integer not null);
create table if not exists report_entries (
    position integer primary key autoincrement,
    kind text not null,
    boot_id text not null,
    body blob not null
);
create table if not exists report_batches (
    position integer primary key autoincrement,
    kind text not null,
    boot_id text not null,
    sequence integer not null,
    entries integer not null,
    body blob not null,
    unique (kind, boot_id, sequence)
);
create table if not exists report_boots (
    kind text not null,
    boot_id text not null,
    last_sequence integer not null,
    primary key (kind, boot_id)
);
create table if not exists counters (name text primary key, value integer not null);
"""

T = TypeVar("T")


class Database:
    """Runs functions `(connection) -> T`, each in one transaction, one after another, off the event loop."""

    def __init__(self, connection: sqlite3.Connection, path: str, lost: str = "") -> None:
        """`lost` says why nothing of it will be found again: it is in memory."""
        self.lost = lost
        self._connection = connection
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="disk")
        self._lazy = False

    @classmethod
    def open(cls, folder: StateFolder) -> Database:
        """Open or make the folder's database. Raises StateError."""
        path = folder.file(_NAME)
        try:
            return cls(_connect(str(path)), str(path))
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                return cls._in_memory(explain_sqlite(error, str(path)), path)
            for suffix in ("-wal", "-shm"):
                folder.disk.remove(folder.file(_NAME + suffix))
            broken = folder.set_aside(_NAME)
            _log.error(
                "The agent's database was damaged and is now %s. A new one was begun; unsent "
                "measurements are lost.",
                broken,
            )
        try:
            return cls(_connect(str(path)), str(path))
        except sqlite3.Error as error:
            return cls._in_memory(explain_sqlite(error, str(path)), path)

    @classmethod
    def _in_memory(cls, reason: StateError, path: Path) -> Database:
        """A device whose disk takes nothing still runs its flows and measures. Raises `reason` for any other fault."""
        if not takes_nothing(path.parent):
            raise reason
        _log.error(
            "%s Until then nothing is kept: no command is run, and what is measured is lost at the next start.",
            reason,
        )
        return cls(_connect(":memory:"), str(path), str(reason))

    async def run(self, work: Callable[[sqlite3.Connection], T], *, lazily: bool = False) -> T:
        """The result of `work` when its transaction is committed. Raises StateError; then nothing of it
        happened.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work, lazily)

    def close(self) -> None:
        """Wait for what runs, and close the file."""
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()

    def _transact(self, work: Callable[[sqlite3.Connection], T], lazily: bool) -> T:
        connection = self._connection
        try:
            if lazily != self._lazy:
                connection.execute(f"pragma synchronous={'normal' if lazily else 'full'}")
                self._lazy = lazily
            connection.execute("begin immediate")
            try:
                result = work(connection)
                connection.execute("commit")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise
            return result
        except sqlite3.Error as error:
            raise explain_sqlite(error, self._path) from error


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=5, isolation_level=None, check_same_thread=False, cached_statements=32
    )
    try:
        connection.execute("pragma auto_vacuum=incremental")  # Counts only before the first table.
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute("pragma cache_size=-256")
        connection.execute("pragma wal_autocheckpoint=100")
        connection.execute("pragma journal_size_limit=1048576")
        if connection.execute("pragma quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("database disk image is malformed")
        (version,) = connection.execute("pragma user_version").fetchone()
        if version > _VERSION:
            raise StateError(
                f"{path} was written by a newer edgeflow-agent. Update this one, or give it another "
                "EDGEFLOW_AGENT_DIR."
            )
        connection.executescript(_SCHEMA)
        connection.execute(f"pragma user_version={_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    text = str(error)
    return "malformed" in text or "not a database" in text


def explain_sqlite(error: sqlite3.Error, path: str) -> StateError:
    """The StateError for what SQLite said about the file at `path`."""
    text = str(error)
    if "full" in text:
        return StateError(f"The disk is full: could not write {path}. Free some space.")
    if "readonly" in text or "read-only" in text:
        return StateError(
            f"{path} is read-only. Remount the disk writable, or set EDGEFLOW_AGENT_DIR to another folder."
        )
    if "unable to open" in text:
        return StateError(f"Could not open {path}. Check that the folder can be written by the agent's user.")
    return StateError(f"The agent's database {path} failed: {text}.")
