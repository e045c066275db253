"""Is the database's schema this version's? Asked with one query, so that a start without news stays light.

The migration tools (alembic, SQLAlchemy) are imported only when there is something to run: they cost half a second
and 25 MB.
"""

from pathlib import Path

import asyncpg

_VERSIONS = Path(__file__).parent.parent / "migrations" / "versions"


class WrongSchema(Exception):
    """The schema is newer than this version knows, or older than it needs; `str()` says what to do."""


def newest_revision() -> str:
    """The revision that this version is written for, `0010`."""
    return max(file.stem[:4] for file in _VERSIONS.glob("[0-9]*.sql"))


async def bring_up_to_date(url: str) -> list[str]:
    """Run the revisions that are missing and return them. Raises WrongSchema, OSError, asyncpg.PostgresError."""
    if await _revision(url) == newest_revision():
        return []
    from edgeflow_cloud.infra.migrate import NewerSchema, migrate

    try:
        return await migrate(url)
    except NewerSchema as error:
        raise WrongSchema(str(error)) from error


async def require_schema(url: str) -> None:
    """Raises WrongSchema when the schema lacks revisions. One that is newer is fine: N-1 runs on N."""
    found, needed = await _revision(url), newest_revision()
    if found is None or found < needed:
        has = f"is at schema {found}" if found else "has no schema of EdgeFlow yet"
        raise WrongSchema(
            f"The database {has}; this version needs {needed}. Run `edgeflow-cloud migrate` first."
        )


async def _revision(url: str) -> str | None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval("select version_num from alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close(timeout=5)
