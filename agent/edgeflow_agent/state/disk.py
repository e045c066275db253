"""The few operations that change a disk, each one system call or a whole: what tests stop in the middle of.

Everything that the agent must find again after a power cut is written through `write_atomic` or the database.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .errors import explain

_LEAST_ROOM = 128 * 1024
"""Bytes: less than the smallest database."""


class Disk:
    """Real system calls. A test gives a subclass that dies before or after one of them."""

    def write(self, path: Path, data: bytes, mode: int) -> None:
        """Create or empty `path` with `mode`, and write all of `data` to it, without forcing it to the
        disk.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            os.fchmod(descriptor, mode)
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)

    def sync(self, path: Path) -> None:
        """Force what `path` (a file or a folder) holds to the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Put `source` in the place of `target`, at once and whole."""
        os.replace(source, target)

    def remove(self, path: Path) -> None:
        """Remove the file; one that is not there is fine."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def takes_nothing(folder: Path) -> bool:
    """Whether the disk under `folder` is read-only, or has no room at all."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return bool(disk.f_flag & os.ST_RDONLY) or disk.f_bavail * disk.f_frsize < _LEAST_ROOM


def write_atomic(disk: Disk, path: Path, data: bytes, mode: int = 0o600) -> None:
    """After this returns, `path` holds `data` even through a power cut; whenever it dies, `path` holds old or
    new.

    Raises StateError (disk full, read-only, no permission), and then `path` is as it was.
    """
    temporary = path.with_name(path.name + ".new")
    try:
        disk.write(temporary, data, mode)
        disk.sync(temporary)
        disk.rename(temporary, path)
        disk.sync(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            disk.remove(temporary)
        raise explain(error, path, "write") from error


def read(path: Path, limit: int = 1024 * 1024) -> bytes | None:
    """The file's content (at most `limit` bytes), None if there is none. Raises StateError."""
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise explain(error, path, "read") from error
