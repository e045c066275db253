"""sqlite: a database in a file of the device."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Mapping
from typing import Annotated, cast

import msgspec
from msgspec import Meta

from ...message import Message
from ...node import Node, NodeConfig, NodeError
from .parameters import ROWS, plain, read_query, read_values


class SqliteConfig(NodeConfig):
    """`database` (or `path`, `filename`) is the file; `:memory:` is one that goes with the flow."""

    database: Annotated[str, Meta(title="File", examples=["/var/lib/plant/log.db"])] = ""
    path: str = ""
    filename: str = ""
    query: Annotated[
        str,
        Meta(
            title="SQL",
            description="`?` or `:name` stand for values",
            extra_json_schema={"format": "code", "language": "sql"},
        ),
    ] = ""
    params: Annotated[list[object], Meta(title="Values", examples=[["payload.id"]])] = msgspec.field(
        default_factory=list[object]
    )
    timeout: Annotated[float, Meta(title="Wait for a lock (seconds)", ge=0, le=60)] = 5.0


class Sqlite(Node[SqliteConfig]):
    """Runs SQL with the message's values; the rows as objects, or `{rowsAffected, lastInsertId}`."""

    type = "sqlite"
    category = "function"
    group = "database"
    verbatim = frozenset({"query"})
    Config = SqliteConfig

    async def start(self) -> None:
        config = self.config
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        name = config.database or config.path or config.filename
        if not name:
            raise NodeError("A sqlite node needs the file of its database.")
        try:
            self._connection = await asyncio.to_thread(_open, name, config.timeout)
        except sqlite3.Error as error:
            raise NodeError(f"{name} cannot be opened: {error}.") from None

    async def stop(self) -> None:
        if self._connection is not None:
            self._connection.interrupt()
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    async def receive(self, message: Message) -> None:
        query = read_query(self.config.query, message)
        values = read_values(self.config.params, message)
        message["payload"] = await asyncio.to_thread(self._run, query, values)
        self.send(message)

    def _run(self, query: str, values: list[object] | Mapping[str, object]) -> object:
        with self._lock:
            if self._connection is None:
                raise NodeError("The node has stopped.")
            given = (
                [_bind(value) for value in values]
                if isinstance(values, list)
                else {key: _bind(value) for key, value in values.items()}
            )
            if isinstance(given, dict) and ":" not in query and "@" not in query and "$" not in query:
                given = []
            try:
                cursor = self._connection.execute(query, given)
                try:
                    if cursor.description is None:
                        self._connection.commit()
                        return {"rowsAffected": max(0, cursor.rowcount), "lastInsertId": cursor.lastrowid}
                    names = [column[0] for column in cursor.description]
                    rows = cast("list[tuple[object, ...]]", cursor.fetchmany(ROWS + 1))
                finally:
                    cursor.close()
                    self._connection.commit()
            except (sqlite3.Error, OverflowError) as error:
                self._connection.rollback()
                raise NodeError(f"SQLite says: {error}.") from None
            if len(rows) > ROWS:
                raise NodeError(f"The answer has more than {ROWS:,} rows. Ask for fewer, with LIMIT.")
            return [{name: plain(value) for name, value in zip(names, row, strict=True)} for row in rows]


def _open(name: str, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=timeout, check_same_thread=False)
    if name != ":memory:":
        connection.execute("pragma journal_mode = wal")
    return connection


def _bind(value: object) -> object:
    """Objects and lists are stored as JSON text."""
    return msgspec.json.encode(value).decode() if isinstance(value, (dict, list)) else value
