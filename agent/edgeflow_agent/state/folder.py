"""The agent's folder: made private, held by one agent at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path

from .disk import Disk, read, write_atomic
from .errors import StateError, explain


class StateFolder:
    """A folder that this process alone may write, until `close`."""

    def __init__(self, path: Path, lock: int, disk: Disk) -> None:
        self.path = path
        self.disk = disk
        self._lock: int | None = lock

    @classmethod
    def open(cls, path: Path, disk: Disk | None = None) -> StateFolder:
        """Make the folder (0700) if needed and lock it. Raises StateError if it cannot, or another agent
        holds it.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                if error.errno != errno.EROFS:
                    raise
                lock = os.open(path / "lock", os.O_RDONLY | os.O_CLOEXEC)  # Held all the same.
        except OSError as error:
            raise explain(error, path, "use the folder") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise FolderBusy(
                f"Another edgeflow-agent{_holder(path)} uses {path}. "
                "Stop it first, or give this one its own folder with EDGEFLOW_AGENT_DIR."
            ) from error
        with contextlib.suppress(OSError):  # Only for people who look; the lock itself is the kernel's.
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return cls(path, lock, disk or Disk())

    def file(self, name: str) -> Path:
        """The path of one file of the folder."""
        return self.path / name

    def write(self, name: str, data: bytes) -> None:
        """Durable and whole, see `write_atomic`. Raises StateError."""
        write_atomic(self.disk, self.file(name), data)

    def read(self, name: str, limit: int = 1024 * 1024) -> bytes | None:
        """The file's content (at most `limit` bytes), None if there is none. Raises StateError."""
        return read(self.file(name), limit)

    def names(self, prefix: str) -> list[str]:
        """The names of the folder's files that begin with `prefix`, sorted. Raises StateError."""
        try:
            return sorted(entry.name for entry in os.scandir(self.path) if entry.name.startswith(prefix))
        except OSError as error:
            raise explain(error, self.path, "read") from error

    def remove(self, name: str) -> None:
        """Remove the file, durably; one that is not there is fine. Raises StateError."""
        try:
            self.disk.remove(self.file(name))
            self.disk.sync(self.path)
        except OSError as error:
            raise explain(error, self.file(name), "remove") from error

    def set_aside(self, name: str) -> Path:
        """Rename a file that cannot be used to `NAME.broken`, over an older one, so that it can still be
        looked at.
        """
        broken = self.file(name + ".broken")
        try:
            self.disk.rename(self.file(name), broken)
            self.disk.sync(self.path)
        except OSError as error:
            raise explain(error, self.file(name), "set aside") from error
        return broken

    def close(self) -> None:
        """Let another agent use the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class FolderBusy(StateError):
    """Another agent holds the folder."""


def _holder(path: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return f" (process {int((path / 'lock').read_text())})"
    return ""
