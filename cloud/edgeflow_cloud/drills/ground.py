"""What several drills stand on: PostgreSQL, Valkey and the S3 store in a temporary folder, and a migrated template.

PostgreSQL is durable (fsync on): the drills kill it, and ask what is left. Nothing watches the parts: a drill that
kills one starts it again itself.
"""

import asyncio
import os
import secrets as random_secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from edgeflow_cloud.drills import queries
from edgeflow_cloud.drills.frame import CannotRun
from edgeflow_cloud.drills.nursery import Nursery
from edgeflow_cloud.infra.embedded import Credentials, Part, PartFailed, Parts
from edgeflow_cloud.infra.secrets import Secrets

_TEMPLATE = "edgeflow_drill_template"
_CONNECTIONS = 200
_ALL = ("database", "valkey", "objects")


class Ground:
    """The parts, and fresh databases on them."""

    def __init__(self, folder: Path, parts: Parts) -> None:
        self.folder = folder
        self.nursery: Nursery | None = None
        """Where processes without a mutant come from."""
        self._parts = parts
        self._never = threading.Event()

    @property
    def database(self) -> Part:
        """PostgreSQL."""
        return self._part("database")

    @property
    def valkey(self) -> Part:
        """Valkey."""
        return self._part("valkey")

    @property
    def valkey_url(self) -> str:
        """Where Valkey is."""
        return _known(self._parts.valkey_url)

    @property
    def s3_url(self) -> str:
        """Where the S3 store is."""
        return _known(self._parts.s3_url)

    def database_url(self, name: str) -> str:
        """A database of this server."""
        parts = urlsplit(_known(self._parts.database_url))
        return urlunsplit(parts._replace(path=f"/{name}"))

    async def make_database(self) -> str:
        """A fresh, migrated database; its name."""
        name = f"drill_{random_secrets.token_hex(4)}"
        await self.administer(f"create database {name} template {_TEMPLATE}")
        return name

    async def drop_database(self, name: str) -> None:
        """Throw it away, whoever is connected."""
        await self.administer(f"drop database if exists {name} with (force)")

    async def administer(self, statement: str, database: str = "postgres") -> None:
        """One statement as the server's owner."""
        connection = await asyncpg.connect(self.database_url(database), timeout=10)
        try:
            await connection.execute(statement)
        finally:
            await connection.close(timeout=5)

    async def kill(self, part: Part) -> None:
        """kill -9 of a part; it stays dead until `restart`."""
        if part.child is None:
            raise CannotRun(f"{part.name} was not started.")
        await asyncio.to_thread(part.child.kill)

    async def stop_immediately(self, part: Part) -> None:
        """PostgreSQL's immediate shutdown: SIGQUIT, no checkpoint, recovery at the next start."""
        if part.child is None:
            raise CannotRun(f"{part.name} was not started.")
        os.kill(part.child.pid, signal.SIGQUIT)
        await asyncio.to_thread(part.child.process.wait, 20)

    def pause(self, part: Part) -> None:
        """SIGSTOP of a part and all its processes: its sockets are open, and nothing comes out of them."""
        self._signal(part, signal.SIGSTOP)

    def resume(self, part: Part) -> None:
        """SIGCONT."""
        self._signal(part, signal.SIGCONT)

    def _signal(self, part: Part, sign: signal.Signals) -> None:
        if part.child is None:
            raise CannotRun(f"{part.name} was not started.")
        for pid in _family(part.child.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)

    async def restart(self, part: Part) -> float:
        """Start a part that is dead, at the same address; the seconds that took. Raises CannotRun."""
        began = time.monotonic()
        try:
            await asyncio.to_thread(part.start, self._never)
        except PartFailed as error:
            raise CannotRun(f"{part.name} did not start again: {error}") from error
        return time.monotonic() - began

    async def calm(self) -> None:
        """Take back what a mutant set for the whole server, and empty Valkey."""
        for name in ("wal_writer_delay", "wal_writer_flush_after"):
            await self.administer(f"alter system reset {name}")
        await self.administer(queries.RELOAD)
        await self.wipe_valkey()

    async def wipe_valkey(self) -> None:
        """FLUSHALL."""
        async with self.open_valkey() as valkey:
            await valkey.flushall()

    async def count_keys(self, pattern: str) -> int:
        """Keys of Valkey that match; 0 while it does not answer."""
        try:
            async with self.open_valkey() as valkey:
                found = cast("AsyncIterator[bytes]", valkey.scan_iter(match=pattern, count=1000))
                return len([key async for key in found])
        except (RedisError, OSError):
            return 0

    @asynccontextmanager
    async def open_valkey(self) -> AsyncGenerator[Redis]:
        """A client of Valkey."""
        client = Redis.from_url(self.valkey_url)
        try:
            yield client
        finally:
            await client.aclose()

    def _part(self, name: str) -> Part:
        return next(part for part in self._parts.parts if part.name == name)


@asynccontextmanager
async def open_ground() -> AsyncGenerator[Ground]:
    """Start the parts and make the template. All is gone at the end of the block. Raises CannotRun."""
    folder = Path(tempfile.mkdtemp(prefix="edgeflow-drill-"))
    secrets = Secrets(folder / "secrets")
    parts = Parts(folder, lambda: Credentials.of(secrets), _ALL, durable=True)
    try:
        try:
            await asyncio.to_thread(parts.start_all)
        except (PartFailed, OSError) as error:
            raise CannotRun(f"The parts did not start: {error}") from error
        try:
            ground = Ground(folder, parts)
            # Six processes have more connections than one cloud in one process, for which the part is sized.
            await ground.administer(f"alter system set max_connections = {_CONNECTIONS}")
            await asyncio.to_thread(ground.database.stop)
            await ground.restart(ground.database)
            await ground.administer(f"create database {_TEMPLATE}")
            # A schema that is being changed at this moment is no fault of what the drill asks about.
            from edgeflow_cloud.infra.migrate import migrate

            try:
                await migrate(ground.database_url(_TEMPLATE))
            except Exception as error:
                raise CannotRun(f"The schema could not be made: {error}") from error
            ground.nursery = await Nursery.open(folder)
            try:
                yield ground
            finally:
                ground.nursery.close()
        finally:
            await asyncio.to_thread(parts.stop_all)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _family(first: int) -> list[int]:
    """A process and all below it: PostgreSQL's backends have sessions of their own, but it is their parent."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found = [first]
    for pid in found:
        found += parents.get(pid, [])
    return found


def _known(url: str | None) -> str:
    if url is None:
        raise CannotRun("A part has no address.")
    return url
