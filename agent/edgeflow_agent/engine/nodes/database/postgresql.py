"""postgresql: a PostgreSQL server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta

from ...message import Message
from ...node import Node, NodeConfig, NodeError
from .parameters import ROWS, plain, read_query, read_values

if TYPE_CHECKING:
    import asyncpg

_NAMED = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")


class PostgresqlConfig(NodeConfig):
    """A `url`, or its parts."""

    url: Annotated[str, Meta(title="Address", examples=["postgresql://user:password@host:5432/database"])] = (
        ""
    )
    host: Annotated[str, Meta(title="Host")] = "localhost"
    port: Annotated[int, Meta(title="Port", ge=1, le=65535)] = 5432
    database: Annotated[str, Meta(title="Database")] = "postgres"
    username: Annotated[str, Meta(title="User name")] = ""
    user: str = ""
    password: Annotated[str, Meta(title="Password", extra_json_schema={"format": "password"})] = ""
    query: Annotated[
        str,
        Meta(
            title="SQL",
            description="`$1` or `:name` stand for values",
            extra_json_schema={"format": "code", "language": "sql"},
        ),
    ] = ""
    params: Annotated[list[object], Meta(title="Values", examples=[["payload.id"]])] = msgspec.field(
        default_factory=list[object]
    )
    timeout: Annotated[float, Meta(title="Time limit (seconds)", gt=0, le=600)] = 30.0
    max_connections: Annotated[int, Meta(title="Connections", ge=1, le=20)] = 4


class Postgresql(Node[PostgresqlConfig]):
    """Runs SQL with the message's values; the rows as objects, or `{rowsAffected, command}`."""

    type = "postgresql"
    category = "function"
    group = "database"
    concurrency = 4
    verbatim = frozenset({"query"})
    Config = PostgresqlConfig

    async def start(self) -> None:
        self._pool: asyncpg.Pool | None = None

    async def stop(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def receive(self, message: Message) -> None:
        import asyncpg

        query = read_query(self.config.query, message)
        values = read_values(self.config.params, message)
        if isinstance(values, dict):
            query, values = _number(query, values)
        elif "$" not in query:
            values = []
        try:
            pool = await self._open()
            async with pool.acquire(timeout=self.config.timeout) as connection:
                statement = await connection.prepare(query, timeout=self.config.timeout)
                fitted = [
                    _fit(value, kind.name)
                    for value, kind in zip(values, statement.get_parameters(), strict=False)
                ]
                rows = await statement.fetch(*fitted, timeout=self.config.timeout)
                status = statement.get_statusmsg() or ""
                answers = bool(statement.get_attributes())
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
            raise NodeError(f"PostgreSQL says: {error or 'no answer in time'}.") from None
        if len(rows) > ROWS:
            raise NodeError(f"The answer has more than {ROWS:,} rows. Ask for fewer, with LIMIT.")
        if answers:
            message["payload"] = [{key: plain(value) for key, value in row.items()} for row in rows]
        else:
            count = status.rpartition(" ")[2]
            message["payload"] = {"rowsAffected": int(count) if count.isdigit() else 0, "command": status}
        self.send(message)

    async def _open(self) -> asyncpg.Pool:
        """The pool, opened with the first message, so that a server that is away stops no flow."""
        import asyncpg

        if self._pool is None:
            config = self.config
            user = config.username or config.user
            who = f"{quote(user, safe='')}:{quote(config.password, safe='')}@" if user else ""
            url = config.url or f"postgresql://{who}{config.host}:{config.port}/{quote(config.database)}"
            self._pool = await asyncpg.create_pool(
                url,
                min_size=0,
                max_size=config.max_connections,
                timeout=10,
                max_inactive_connection_lifetime=60,
                server_settings={"application_name": "edgeflow-agent"},
            )
        return self._pool


def _number(query: str, values: dict[str, object]) -> tuple[str, list[object]]:
    """`:name` as `$1`, each name once. What the values lack is NULL."""
    order: dict[str, int] = {}

    def put(found: re.Match[str]) -> str:
        return f"${order.setdefault(found[1], len(order) + 1)}"

    return _NAMED.sub(put, query), [values.get(name) for name in _names(query)]


def _names(query: str) -> list[str]:
    return list(dict.fromkeys(found[1] for found in _NAMED.finditer(query)))


def _fit(value: object, kind: str) -> Any:  # Any: asyncpg takes what the type of the place wants.
    """A message's value as the place's type wants it: JSON for json, numbers and times also from texts."""
    if value is None or kind in ("bytea",):
        return value
    if kind in ("json", "jsonb"):
        return msgspec.json.encode(value).decode()
    if kind in ("text", "varchar", "bpchar", "name"):
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if kind in ("timestamptz", "timestamp", "date") and isinstance(value, (str, int, float)):
        return _time(value, kind)
    if kind in ("int2", "int4", "int8") and isinstance(value, (str, float)):
        return int(value)
    if kind in ("float4", "float8") and isinstance(value, (str, int)):
        return float(value)
    if kind == "numeric" and isinstance(value, (str, int, float)):
        from decimal import Decimal

        return Decimal(str(value))
    return value


def _time(value: str | float, kind: str) -> object:
    from datetime import UTC, datetime

    moment = (
        datetime.fromtimestamp(value / 1000, UTC)
        if not isinstance(value, str)
        else datetime.fromisoformat(value)
    )
    if kind == "date":
        return moment.date()
    if kind == "timestamp":
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
