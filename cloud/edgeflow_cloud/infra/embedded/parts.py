"""The parts together: started side by side, watched, started again when one dies, ended in bounded time."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from edgeflow_cloud.infra.embedded import addresses, postgres, seaweedfs, valkey
from edgeflow_cloud.infra.embedded.errors import PartFailed
from edgeflow_cloud.infra.embedded.folders import Folders, lock
from edgeflow_cloud.infra.embedded.process import Child, ended
from edgeflow_cloud.infra.secrets import Secrets
from edgeflow_cloud.infra.settings import Settings

log = structlog.get_logger("edgeflow.embedded")

PartName = Literal["database", "valkey", "objects"]
ALL: tuple[PartName, ...] = ("database", "valkey", "objects")
_CALM = 60.0
"""Seconds that a part must have run for its next death to count as a first one."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Passwords of the parts, all URL-safe."""

    database: str
    valkey: str
    objects: seaweedfs.Keys

    @classmethod
    def of(cls, secrets: Secrets) -> "Credentials":
        """The installation's own, made now if they are not there. Raises BadSecret."""
        return cls(
            secrets.database_password.reveal(),
            secrets.valkey_password.reveal(),
            seaweedfs.Keys(
                secrets.s3_access_key, secrets.s3_secret_key.reveal(), secrets.s3_signing_key.reveal()
            ),
        )


class Part:
    """One part: how it is started, and the child and address it has now."""

    def __init__(self, name: PartName, start: Callable[[threading.Event], tuple[Child, str]]) -> None:
        self.name: PartName = name
        self._start = start
        self.child: Child | None = None
        self.url: str | None = None
        self.seconds = 0.0
        """How long the last start took."""

        self._turn = threading.Lock()

    def start(self, abort: threading.Event) -> None:
        """Start and wait until it serves, or `abort` is set. Blocking. Raises PartFailed."""
        with self._turn:
            began = time.monotonic()
            self.child, self.url = self._start(abort)
            self.seconds = time.monotonic() - began

    def stop(self) -> None:
        """End it, within the child's patience. Blocking. It waits for a start under way: abort that first."""
        with self._turn:
            if self.child is not None:
                self.child.stop()


class Parts:
    """PostgreSQL, Valkey and the S3 store of one data folder, or those of them that are wanted.

    A service for the supervisor; also usable alone with `start_all` and `stop_all`.
    """

    name = "embedded parts"
    restarts = True
    stop_limit = 25.0

    def __init__(
        self,
        folder: Path,
        credentials: Callable[[], Credentials],
        wanted: tuple[PartName, ...],
        *,
        durable: bool,
    ) -> None:
        self._folder = folder
        self._credentials = credentials
        self._wanted = wanted
        self._durable = durable
        self._abort = threading.Event()
        self._lock: int | None = None
        self._folders: Folders | None = None
        self.parts: list[Part] = []

    @property
    def database_url(self) -> str | None:
        """PostgreSQL's address, None when it was not wanted."""
        return self._url("database")

    @property
    def valkey_url(self) -> str | None:
        """Valkey's address, None when it was not wanted."""
        return self._url("valkey")

    @property
    def s3_url(self) -> str | None:
        """The S3 store's address, None when it was not wanted."""
        return self._url("objects")

    def start_all(self) -> None:
        """Take the folder and start the parts side by side. Blocking.

        Raises AlreadyRunning, PartFailed or BadSecret; nothing stays running then.
        """
        folders = Folders.prepare(self._folder)
        self._lock = lock(folders)
        self._folders = folders
        try:
            credentials = self._credentials()
            starts: dict[PartName, Callable[[threading.Event], tuple[Child, str]]] = {
                "database": lambda abort: postgres.start(
                    folders, credentials.database, abort, durable=self._durable
                ),
                "valkey": lambda abort: valkey.start(folders, credentials.valkey, abort),
                "objects": lambda abort: seaweedfs.start(folders, credentials.objects, abort),
            }
            self.parts = [Part(name, starts[name]) for name in self._wanted]
            self._side_by_side(self._start)
            addresses.write(folders, {part.name: part.url for part in self.parts if part.url})
        except BaseException:
            self.stop_all()
            raise

    def stop_all(self) -> None:
        """End the parts side by side and let go of the folder. Blocking, at most about 20 seconds."""
        self._abort.set()
        self._side_by_side(Part.stop)
        if self._folders is not None:
            addresses.forget(self._folders)
            self._folders.clear_sockets()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def hasten(self) -> None:
        """End the parts at once. PostgreSQL recovers at its next start; nothing acknowledged is lost."""
        self._abort.set()
        for part in self.parts:
            if part.child is not None:
                part.child.kill()

    async def start(self) -> None:
        """`start_all` beside the event loop; cancelling it ends what was started."""
        work = asyncio.ensure_future(asyncio.to_thread(self.start_all))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            self._abort.set()
            await asyncio.wait([work])
            if work.exception() is None:
                await asyncio.to_thread(self.stop_all)
            raise

    async def run(self) -> None:
        """Watch the parts and start again what dies, at the same address, for as long as it takes."""
        async with asyncio.TaskGroup() as group:
            for part in self.parts:
                group.create_task(self._keep(part), name=part.name)

    async def stop(self) -> None:
        """`stop_all` beside the event loop."""
        await asyncio.to_thread(self.stop_all)

    async def _keep(self, part: Part) -> None:
        deaths = 0
        while part.child is not None:
            began = time.monotonic()
            await ended(part.child)
            if self._abort.is_set():
                return
            deaths = 1 if time.monotonic() - began > _CALM else deaths + 1
            log.warning(
                "part ended", part=part.child.name, exit_code=part.child.process.poll(), deaths=deaths
            )
            await asyncio.sleep(min(10.0, 0.1 * 2 ** (deaths - 1)))
            try:
                await asyncio.to_thread(part.start, self._abort)
            except PartFailed as failure:
                log.error("part not started", part=failure.part, reason=str(failure), log=failure.log[-500:])
            else:
                log.info("part started again", part=part.child.name, seconds=round(part.seconds, 2))

    def _start(self, part: Part) -> None:
        try:
            part.start(self._abort)
        except BaseException:
            self._abort.set()  # one missing is all missing: the others need not come up first
            raise

    def _url(self, name: PartName) -> str | None:
        return next((part.url for part in self.parts if part.name == name), None)

    def _side_by_side(self, call: Callable[[Part], None]) -> None:
        if not self.parts:
            return
        with ThreadPoolExecutor(max_workers=len(self.parts), thread_name_prefix="edgeflow-part") as pool:
            futures = [pool.submit(call, part) for part in self.parts]
        failures = [failure for future in futures if (failure := future.exception())]
        # A part that was stopped because another failed is not the one to talk about.
        first = next((failure for failure in failures if "was stopped while" not in str(failure)), None)
        if first or failures:
            raise first or failures[0]


def parts_for(settings: Settings, secrets: Secrets) -> Parts:
    """Those parts that the settings name no address for, in the settings' data folder."""
    wanted: list[PartName] = []
    given = {"database": settings.database_url, "valkey": settings.valkey_url, "objects": settings.s3_url}
    for name in ALL:
        if given[name] is None:
            wanted.append(name)
    return Parts(settings.data_dir, lambda: Credentials.of(secrets), tuple(wanted), durable=True)


@contextmanager
def start_for_tests(
    folder: Path, *, wanted: tuple[PartName, ...] = ALL, durable: bool = False
) -> Generator[Parts]:
    """A throw-away stack for tests in `folder`: `parts.database_url`, `.valkey_url`, `.s3_url`.

    A plain, blocking context manager: use it in a session-scoped fixture. The database user `edgeflow` is a
    superuser, so tests may `create database … template …`. Not durable unless asked: a crash may lose all.
    """
    secrets = Secrets(folder.absolute() / "secrets")
    parts = Parts(folder, lambda: Credentials.of(secrets), wanted, durable=durable)
    parts.start_all()
    try:
        yield parts
    finally:
        parts.stop_all()
