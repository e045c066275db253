"""The data folder: who may use it, what lies where, and private files in it.

DATA_DIR/lock        held (flock) by the one process that runs the parts
DATA_DIR/postgres    the database (or a link to it, see privilege.py)
DATA_DIR/valkey      Valkey's configuration; no data
DATA_DIR/objects     the S3 store
DATA_DIR/run         sockets
DATA_DIR/log         one log per part, the one before it as .1
DATA_DIR/secrets     what was made once (secrets.py)
"""

import fcntl
import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgeflow_cloud.infra.embedded.errors import AlreadyRunning, PartFailed

_SOCKET_PATH_LIMIT = 107
"""Bytes of a unix socket's path that Linux takes (sun_path without its final NUL)."""


@dataclass(frozen=True, slots=True)
class Folders:
    """A data folder that exists and can be written."""

    root: Path

    @classmethod
    def prepare(cls, root: Path) -> "Folders":
        """Make the folder, private, and prove that it can be written. Raises PartFailed with what to do."""
        try:
            root = root.expanduser().absolute()
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            root = root.resolve()
            for name in ("run", "log"):
                (root / name).mkdir(exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=root / "run") as probe:
                probe.write(b"\0" * 65536)
                probe.flush()
        except FileExistsError as error:
            raise PartFailed(
                "The data folder", f"{root} is a file", advice="set EDGEFLOW_DATA_DIR to a folder"
            ) from error
        except OSError as error:
            raise PartFailed.from_os_error(f"The data folder {root}", error) from error
        return cls(root)

    def part(self, name: str) -> Path:
        """A part's own folder, made private."""
        folder = self.root / name
        try:
            folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise PartFailed.from_os_error(name, error) from error
        return folder

    @property
    def run(self) -> Path:
        return self.root / "run"

    def clear_sockets(self) -> None:
        """Remove the sockets of parts that have ended, and the folder in /tmp if there was one."""
        uids = {os.geteuid()}
        with suppress(OSError):
            uids.add((self.root / "postgres").stat().st_uid)
        for folder in (self.run, *(_temporary(self, uid) for uid in uids)):
            with suppress(OSError):
                if folder.lstat().st_uid not in uids:  # not ours, or a link
                    continue
                for socket_file in folder.glob("*.sock"):
                    socket_file.unlink(missing_ok=True)
                if folder != self.run:
                    folder.rmdir()

    def log(self, name: str) -> Path:
        """A part's log file; the log of the run before becomes `.1`."""
        path = self.root / "log" / f"{name}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        return path


def lock(folders: Folders) -> int:
    """Take the folder for this process; the lock lasts as long as the returned descriptor is open.

    Raises AlreadyRunning, naming the pid that holds it.
    """
    descriptor = os.open(folders.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise AlreadyRunning(
            f"EdgeFlow Cloud already runs on {folders.root} (pid {holder}): use that one, stop it with "
            f"`kill {holder}`, or set EDGEFLOW_DATA_DIR to another folder."
        ) from error
    except OSError as error:
        os.close(descriptor)
        raise PartFailed.from_os_error("The data folder's lock", error) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def socket_path(folders: Folders, name: str) -> Path:
    """Where a unix socket called `name` may live: DATA_DIR/run, or a private folder in /tmp (a long path)."""
    path = folders.run / name
    if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT:
        return path
    return private_temporary(folders) / name


def private_temporary(folders: Folders, owner: int | None = None) -> Path:
    """A 0700 folder in /tmp that belongs to this data folder, the same at every start.

    Its name can be guessed, so that it is used only when it is a real folder of `owner` (default: this user)
    that nobody else may enter; otherwise an unguessable one is made.
    """
    uid = os.geteuid() if owner is None else owner
    path = _temporary(folders, uid)
    try:
        path.mkdir(mode=0o700)
        if uid != os.geteuid():
            os.chown(path, uid, -1)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or stat.S_IMODE(found.st_mode) != 0o700:
            path = Path(tempfile.mkdtemp(prefix="edgeflow-", dir="/tmp"))
            if uid != os.geteuid():
                os.chown(path, uid, -1)
    return path


def _temporary(folders: Folders, uid: int) -> Path:
    digest = hashlib.sha256(os.fsencode(folders.root)).hexdigest()[:12]
    return Path("/tmp") / f"edgeflow-{uid}-{digest}"  # noqa: S108 - its owner and mode are checked


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user may read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
