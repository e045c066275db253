"""Files that hold secrets: 0600 in a folder 0700, written whole and durable, read without following a link."""

import os
import secrets as random_secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgeflow_cloud.infra.secret import BadSecret


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The file's text, made by `make` when there is none. Raises BadSecret."""
    found = read(path)
    if found is None:
        with _explained(path):
            fresh = _written(path, make())
            with suppress(FileExistsError):
                os.link(fresh, path)
            fresh.unlink()
            _settle(path.parent)
        found = read(path)  # another process may have been first: its value counts
    if not found:
        raise BadSecret(
            f"The secret {path} is empty: restore it from your backup; a new one would open nothing old."
        )
    return found


def read(path: Path) -> str | None:
    """The file's text, None when there is no such file; one that others may read is closed to them.

    Raises BadSecret.
    """
    with _explained(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, encoding="ascii") as file:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
            return file.read().strip()


def replace(path: Path, text: str) -> None:
    """Put `text` in the place of what is there: a reader finds the old or the new, whole. Raises BadSecret."""
    with _explained(path):
        os.replace(_written(path, text), path)
        _settle(path.parent)


def _written(path: Path, text: str) -> Path:
    """A file of another name beside `path`, whole and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    fresh = path.with_name(f".{path.name}.{random_secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return fresh


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path: Path) -> Generator[None]:
    try:
        yield
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadSecret(
            f"The secret {path} cannot be read or made ({reason}): set EDGEFLOW_DATA_DIR to a folder of this "
            "user, or mend the file's owner."
        ) from error
