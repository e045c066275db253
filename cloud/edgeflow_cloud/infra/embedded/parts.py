"""The three parts together: started side by side, ended in order."""

import os
import secrets as random_secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edgeflow_cloud.infra.embedded import postgres, seaweedfs, valkey
from edgeflow_cloud.infra.embedded.folders import Folders, lock
from edgeflow_cloud.infra.embedded.process import Child


@dataclass(frozen=True, slots=True)
class Credentials:
    """Passwords of the parts, all URL-safe."""

    database: str
    valkey: str
    objects: seaweedfs.Keys

    @classmethod
    def random(cls) -> "Credentials":
        """Fresh ones, for a stack that is thrown away."""
        return cls(
            random_secrets.token_urlsafe(24),
            random_secrets.token_urlsafe(24),
            seaweedfs.Keys(random_secrets.token_hex(10), random_secrets.token_hex(20), random_secrets.token_hex(24)),
        )


@dataclass(slots=True)
class Parts:
    """What runs: URLs of the parts that were started (None: not started) and their processes."""

    folder: Path
    database_url: str | None = None
    valkey_url: str | None = None
    s3_url: str | None = None
    children: list[Child] = field(default_factory=list[Child])

    def stop(self) -> None:
        """End all parts side by side. Takes at most as long as the most patient of them."""
        with ThreadPoolExecutor(max_workers=max(1, len(self.children))) as pool:
            list(pool.map(Child.stop, self.children))


@contextmanager
def run_parts(
    folder: Path,
    credentials: Credentials,
    *,
    database: bool = True,
    valkey_: bool = True,
    objects: bool = True,
    durable: bool = True,
) -> Iterator[Parts]:
    """Run the wanted parts in `folder` for the length of the block. Blocking: call it in a thread from async code.

    Raises AlreadyRunning or PartFailed; nothing stays running then.
    """
    folders = Folders.prepare(folder)
    descriptor = lock(folders)
    parts = Parts(folders.root)
    try:
        _start(parts, folders, credentials, database, valkey_, objects, durable)
        yield parts
    finally:
        parts.stop()
        os.close(descriptor)


def _start(
    parts: Parts,
    folders: Folders,
    credentials: Credentials,
    database: bool,
    valkey_: bool,
    objects: bool,
    durable: bool,
) -> None:
    def start_database() -> None:
        child, parts.database_url = postgres.start(folders, credentials.database, postgres.Options(durable=durable))
        parts.children.append(child)

    def start_valkey() -> None:
        child, parts.valkey_url = valkey.start(folders, credentials.valkey)
        parts.children.append(child)

    def start_objects() -> None:
        child, parts.s3_url = seaweedfs.start(folders, credentials.objects)
        parts.children.append(child)

    wanted: list[Callable[[], None]] = []
    for yes, call in ((database, start_database), (valkey_, start_valkey), (objects, start_objects)):
        if yes:
            wanted.append(call)
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
        futures = [pool.submit(call) for call in wanted]
    for future in futures:
        future.result()


@contextmanager
def start_for_tests(
    folder: Path, *, database: bool = True, valkey: bool = True, objects: bool = True, durable: bool = False
) -> Iterator[Parts]:
    """A throw-away stack for tests, in `folder` (empty or from an earlier call), with fresh passwords.

    Plain, blocking context manager: use it in a session-scoped fixture. Database user `edgeflow` is a superuser, so
    tests may `create database … template …`. Not durable unless asked: a crash may lose everything.
    """
    with run_parts(
        folder, Credentials.random(), database=database, valkey_=valkey, objects=objects, durable=durable
    ) as parts:
        yield parts
