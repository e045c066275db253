"""PostgreSQL: four ways in, each with the role that fits.

`tenant_tx(principal)` is the way to tenant tables: role `edgeflow_app`, row-level security set to the
principal's organization. `lookup()` runs SECURITY DEFINER functions before anyone is known. `system_tx(reason)`
sees all organizations (relay, retention, presence batches). `ingest_tx()` writes samples by COPY. A check lists
who may import the last three.

The role is a startup parameter of each pool's connections, so no statement is spent on it and `RESET ROLE`
cannot climb out of it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, cast

import asyncpg
import msgspec

from edgeflow_cloud.kernel.errors import Forbidden, Unavailable
from edgeflow_cloud.kernel.principal import Principal

if TYPE_CHECKING:  # asyncpg's classes are generic for type checkers only
    PgConnection = asyncpg.Connection[asyncpg.Record]
    PgPool = asyncpg.Pool[asyncpg.Record]
else:
    PgConnection, PgPool = asyncpg.Connection, asyncpg.Pool

Transaction = PgConnection
"""A connection inside an open transaction. Whoever is handed one never ends it."""
Row = asyncpg.Record

STATEMENT_TIMEOUT_MS = 15_000
ACQUIRE_TIMEOUT = 5.0
IDLE_LIMIT_MS = {"edgeflow_app": 5_000, "edgeflow_system": 5_000, "edgeflow_ingest": 5_000}
"""A process that stands still inside a transaction (paused, or its machine gone) gives its locks back after this:
before a statement of another that waits for them would time out, also when two of its transactions stand in line.
"""
GUARD_FAILED = "EF001"
"""What a guard raises in PostgreSQL when it does not hold."""

# What asyncpg raises on a connection that died; the internal error when it died in the middle of an exchange.
_LOST = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    ConnectionError,
)
# What it says when it is there and cannot do it now. The same request may well succeed in a moment.
_BUSY = (
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
)


_RESET = "; ".join(("select pg_advisory_unlock_all()", "close all", "unlisten *", "reset all"))
"""Makes a connection fit for the next one who takes it: as asyncpg's own, but sent with the transaction's end."""


class GuardFailed(Exception):
    """The transaction's guard did not hold when it was to be committed: nothing of it was written."""


class _PooledConnection(PgConnection):
    """Spares the pool's reset, a journey of its own, when the reset went out with the transaction's last message."""

    __slots__ = ("_notes", "_was_reset")

    def note(self, channel: str) -> None:
        """`notify_after`, for a connection of ours."""
        self._notes: set[str] = {channel, *getattr(self, "_notes", ())}

    def take_notes(self) -> str:
        """The statements that notify, for after the commit; and forget them."""
        notes: set[str] = getattr(self, "_notes", set())
        self._notes = set()
        return "".join(f"notify {channel}; " for channel in sorted(notes))

    def note_reset(self, done: bool) -> None:
        """Whether nothing that a transaction set or holds is left on the connection."""
        self._was_reset = done

    def get_reset_query(self) -> str:
        return "" if getattr(self, "_was_reset", False) else super().get_reset_query()


def notify_after(tx: Transaction, channel: str) -> None:
    """Wake who listens on `channel` (a plain word) right after the commit of a transaction of `Database`.

    Not in it: a transaction that notifies holds a lock of the whole server until its commit is on the disk, so that
    no two of them could share a journey there. The note may be lost when the server dies in between.
    """
    cast("_PooledConnection", tx).note(channel)


class Database:
    """Pools to one PostgreSQL, one pool a role. `size` is the app pool's bound."""

    def __init__(self, url: str, *, size: int = 12) -> None:
        self.url = url
        self._size = size
        self._app: PgPool | None = None
        self._system: PgPool | None = None
        self._ingest: PgPool | None = None

    async def open(self) -> None:
        """Connect. Raises OSError or asyncpg.PostgresError when the server is away or refuses."""
        self._app = await _pool(self.url, "edgeflow_app", self._size)
        self._system = await _pool(self.url, "edgeflow_system", 6)
        self._ingest = await _pool(self.url, "edgeflow_ingest", 2)

    async def close(self) -> None:
        """End all connections, at the latest after five seconds."""
        for pool in (self._app, self._system, self._ingest):
            if pool is None:
                continue
            try:
                await asyncio.wait_for(pool.close(), 5)
            except (TimeoutError, asyncio.CancelledError):
                pool.terminate()

    @asynccontextmanager
    async def tenant_tx(self, principal: Principal, *, guard: str = "") -> AsyncGenerator[Transaction]:
        """A transaction that sees the principal's organization and nothing else.

        `guard` is a statement that raises GUARD_FAILED when the transaction may not be committed. It goes out
        in one message with the commit, so that this process cannot stand still between the two. A program that
        is limited to projects sees what is theirs and no more. Raises GuardFailed, Forbidden (`outside_projects`).
        """
        begin = f"begin; set local app.tenant_id = '{principal.tenant_id}'"
        if principal.projects is not None:
            named = ",".join(sorted(str(project) for project in principal.projects))
            begin += f"; set local app.projects = '{{{named}}}'"
        try:
            async with _transaction(self._app, begin, guard) as tx:
                yield tx
        except asyncpg.InsufficientPrivilegeError as error:
            if principal.projects is None:
                raise
            raise Forbidden(
                "This key is limited to projects, and what you sent lies outside them. Name one of the key's projects"
                " as project_id, or use a key without this limit.",
                code="outside_projects",
            ) from error

    @asynccontextmanager
    async def lookup(self) -> AsyncGenerator[Transaction]:
        """A transaction without an organization: it sees no tenant row, only what lookup functions return."""
        async with _transaction(self._app, "begin") as tx:
            yield tx

    @asynccontextmanager
    async def system_tx(self, reason: str) -> AsyncGenerator[Transaction]:
        """A transaction over all organizations. `reason` shows in pg_stat_activity while it runs."""
        name = "".join(letter for letter in reason if letter.isalnum() or letter in " -_.")[:48]
        async with _transaction(
            self._system, f"begin; set local application_name = 'edgeflow: {name}'"
        ) as tx:
            yield tx

    @asynccontextmanager
    async def ingest_tx(self, *, guard: str = "") -> AsyncGenerator[Transaction]:
        """A transaction that may write sample tables and their cursors, by COPY. `guard` as for `tenant_tx`."""
        async with _transaction(self._ingest, "begin", guard) as tx:
            yield tx

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncGenerator[AsyncIterator[str]]:
        """NOTIFY payloads of `channel`, on a connection of its own. Ends when the connection is lost."""
        connection = await asyncpg.connect(self.url, timeout=10)
        queue: asyncio.Queue[str | None] = asyncio.Queue(1_000)

        def heard(_c: object, _pid: int, _channel: str, payload: object) -> None:
            if not queue.full():  # a full queue already says "look"; one note less changes nothing
                queue.put_nowait(str(payload))

        connection.add_termination_listener(lambda _c: _end(queue))
        await connection.add_listener(channel, heard)
        try:
            yield _drain(queue)
        finally:
            await connection.close(timeout=2)


def _end(queue: asyncio.Queue[str | None]) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(None)


async def _drain(queue: asyncio.Queue[str | None]) -> AsyncIterator[str]:
    while (payload := await queue.get()) is not None:
        yield payload


async def _pool(url: str, role: str, size: int) -> PgPool:
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=_set_codecs,
        timeout=10,
        connection_class=_PooledConnection,
        command_timeout=STATEMENT_TIMEOUT_MS / 1000 + 5,
        max_inactive_connection_lifetime=120,
        server_settings={
            "role": role,
            "application_name": "edgeflow",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_LIMIT_MS[role]),
            "timezone": "UTC",
        },
    )


async def _set_codecs(connection: PgConnection) -> None:
    """jsonb travels as Python values, encoded and decoded by msgspec."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: msgspec.json.encode(value).decode(),
            decoder=msgspec.json.decode,
        )


@asynccontextmanager
async def _transaction(pool: PgPool | None, begin: str, guard: str = "") -> AsyncGenerator[Transaction]:
    if pool is None:
        raise RuntimeError("Database.open() was not awaited")
    try:
        connection = await pool.acquire(timeout=ACQUIRE_TIMEOUT)
    except (TimeoutError, OSError, *_LOST, *_BUSY) as error:
        raise Unavailable(
            "The database does not answer at the moment; try again in a few seconds."
        ) from error
    pooled = cast("_PooledConnection", connection)  # the pool's proxy offers all of a connection
    try:
        pooled.note_reset(False)
        pooled.take_notes()
        try:
            await pooled.execute(begin)
            yield pooled
            end = f"commit; {pooled.take_notes()}{_RESET}"
            await pooled.execute(f"{guard}; {end}" if guard else end)
        except asyncpg.PostgresError as error:
            await _roll_back(pooled)
            if error.sqlstate == GUARD_FAILED:
                raise GuardFailed from None
            raise
        except BaseException:  # also when the begin or the commit was cancelled: the server may have begun
            await _roll_back(pooled)
            raise
        pooled.note_reset(True)
    except _LOST as error:
        raise Unavailable("The connection to the database was lost; send the same request again.") from error
    except _BUSY as error:
        raise Unavailable(
            "The database took too long; send the same request again in a few seconds."
        ) from error
    finally:
        # What fails here drops the connection, and says nothing about a transaction that is over.
        with suppress(*_LOST, OSError, TimeoutError):
            await pool.release(connection, timeout=5)


async def _roll_back(connection: _PooledConnection) -> None:
    """Undo what the block did, to the end however often it is cancelled. A dead connection is simply dropped."""
    if connection.is_closed():
        return
    undoing = asyncio.ensure_future(asyncio.wait_for(connection.execute(f"rollback; {_RESET}"), 5))
    cancelled: asyncio.CancelledError | None = None
    while not undoing.done():
        try:
            await asyncio.wait({undoing})
        except asyncio.CancelledError as error:
            cancelled = error
    try:
        undoing.result()
        connection.note_reset(True)
    except (asyncpg.PostgresError, *_LOST, OSError, TimeoutError, asyncio.CancelledError):
        connection.terminate()
    if cancelled is not None:
        raise cancelled
