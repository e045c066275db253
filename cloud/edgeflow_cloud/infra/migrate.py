"""Bring a database's schema to this version's, or say why not.

Revisions are SQL files run in order under one advisory lock, so that several processes may start at once.
"""

import asyncio
from pathlib import Path
from typing import cast

import asyncpg
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import AdaptedConnection, Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

FOLDER = Path(__file__).parent.parent / "migrations"
_LOCK = 0x6564676566  # any fixed number; this one spells "edgef"


class NewerSchema(RuntimeError):
    """The database was migrated by a newer version than this one."""


def run_sql(revision_file: str) -> None:
    """Run the SQL file beside a revision."""
    run_text(Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8"))


def run_text(statements: str) -> None:
    """Run many statements at once, in the revision's transaction. asyncpg takes them only without arguments."""
    op.execute("select 1")  # SQLAlchemy opens its transaction at the first statement of its own
    connection = cast("AdaptedConnection", op.get_bind().connection.dbapi_connection)
    connection.run_async(lambda driver: cast("asyncpg.Connection", driver).execute(statements))


def previous(revision_file: str) -> str | None:
    """The revision before this one: files run in the order of their numbers, which may have gaps."""
    own = Path(revision_file)
    return max(
        (file.stem[:4] for file in own.parent.glob("[0-9]*.sql") if file.stem < own.stem), default=None
    )


async def migrate(url: str) -> list[str]:
    """Run what is missing; the revisions that were run are returned. Raises NewerSchema."""
    engine = create_async_engine(_sqlalchemy_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> list[str]:
    connection.execute(text(f"select pg_advisory_lock({_LOCK})"))
    try:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        scripts = ScriptDirectory.from_config(config)
        known = [script.revision for script in reversed(list(scripts.walk_revisions()))]
        before = MigrationContext.configure(connection).get_current_revision()
        connection.commit()
        if before is not None and before not in known:
            raise NewerSchema(
                f"This database is at schema {before}, which this version of edgeflow-cloud does not know. "
                "Start the version that last used it, or a newer one."
            )
        command.upgrade(config, "head")
        connection.commit()
        return known[known.index(before) + 1 :] if before else known
    finally:
        connection.execute(text(f"select pg_advisory_unlock({_LOCK})"))
        connection.commit()


def _sqlalchemy_url(url: str) -> str:
    """`postgresql://…` as everybody writes it, with the driver that we use."""
    scheme, separator, rest = url.partition("://")
    if not separator or not scheme.startswith("postgres"):
        raise ValueError("EDGEFLOW_DATABASE_URL must look like postgresql://user:password@host:5432/name")
    return f"postgresql+asyncpg://{rest}"


def migrate_now(url: str) -> list[str]:
    """`migrate` for callers without a loop."""
    return asyncio.run(migrate(url))
