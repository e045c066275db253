"""As whom PostgreSQL runs, and so where its programs, its data and its socket must be.

A plain user runs it directly. PostgreSQL refuses root; then, in this order:

1. a user namespace, in which our root is called by another number: the files stay root's, nothing is copied;
2. where the kernel or the container forbids that, a system user `edgeflow`, made for it.
   Such a user cannot enter a private home like /root, so the programs, and the data if need be, are kept in
   /var/lib/edgeflow.
"""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeflow_cloud.infra.embedded.errors import PartFailed
from edgeflow_cloud.infra.embedded.folders import Folders, private_temporary, socket_path, write_private

_SOCKET = ".s.PGSQL.5432.lock"  # the longest name that must fit beside the socket


@dataclass(frozen=True, slots=True)
class Station:
    """Where and as whom PostgreSQL runs. `wrap` goes before each of its commands; `owner` is None when the files are ours."""

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
        done = subprocess.run(  # noqa: S603
            [str(self.binaries / "postgres"), "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        match = re.search(r"(\d+)", done.stdout)
        return match.group(1) if match else ""

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """A folder to make a database in; it takes the data folder's place when the block ends well."""
        folder = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        if self.owner is not None:
            os.chown(folder, self.owner, -1)
        try:
            yield folder
            if self.data.exists():
                self.data.rmdir()  # refuses when it holds anything
            folder.rename(self.data)
        except OSError as error:
            raise PartFailed.from_os_error("PostgreSQL", error) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def station(folders: Folders, binaries: Path) -> Station:
    """Choose for this user, this kernel and what is in the folder already. Raises PartFailed when nothing works."""
    data = folders.root / "postgres"
    sockets = socket_path(folders, _SOCKET).parent
    if os.geteuid() != 0:
        return Station((), binaries, data, sockets)
    wrap = _namespace()
    if wrap is not None:
        return Station(wrap, binaries, data, sockets)
    raise PartFailed("PostgreSQL", "cannot run as root here")


def _namespace() -> tuple[str, ...] | None:
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    number = _other_user()
    wrap = (unshare, "--user", f"--map-user={number}", f"--map-group={number}", "--")
    done = subprocess.run([*wrap, "true"], capture_output=True, timeout=20, check=False)  # noqa: S603
    return wrap if done.returncode == 0 else None


def _other_user() -> int:
    """A number that is not root's and has a name: initdb asks for the name of whoever runs it."""
    for name in ("postgres", "nobody", "daemon"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    return next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0), 65534)


_ = private_temporary
