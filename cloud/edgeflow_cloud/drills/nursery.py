"""Where a drill's processes are born: one that has imported the cloud already, and forks. Imports are most of a start.

A process with a mutant is not born here: what is broken must be broken before the others import it.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import cast

from edgeflow_cloud.drills.frame import CannotRun
from edgeflow_cloud.infra.embedded.errors import PartFailed
from edgeflow_cloud.infra.embedded.process import Child, spawn

_START = 90.0
_MODULE = "edgeflow_cloud.drills.nursery"


class Born:
    """A process that the nursery made, with what a node asks of a child."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def alive(self) -> bool:
        """Whether it runs (paused counts)."""
        return not select.select([self._handle], [], [], 0)[0]

    def kill(self) -> None:
        """End it and everything in its session at once."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.wait(5)

    def wait(self, seconds: float) -> None:
        """Until it has ended, at most so long."""
        select.select([self._handle], [], [], seconds)

    async def ended(self) -> None:
        """Return when it has ended."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._handle, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(self._handle)

    def __del__(self) -> None:
        os.close(self._handle)


class Nursery:
    """`await Nursery.open(folder)`; `bear` gives a process; `close` ends it and all that it bore."""

    def __init__(self, child: Child, path: Path) -> None:
        self._child = child
        self._path = path

    @classmethod
    async def open(cls, folder: Path) -> Nursery:
        """Start it. Raises CannotRun."""
        path = folder / "nursery"
        kept = {name: os.environ[name] for name in ("PYTHONPATH", "HOME") if name in os.environ}
        try:
            child = spawn(
                "nursery",
                [sys.executable, "-m", _MODULE, str(path)],
                folder=folder,
                log=folder / "nursery.log",
                environment=kept,
            )
        except PartFailed as error:
            raise CannotRun(str(error)) from error
        for _ in range(int(_START / 0.05)):
            if path.exists():
                return cls(child, path)
            if not child.alive():
                break
            await asyncio.sleep(0.05)
        child.kill()
        raise CannotRun(f"The nursery did not start:\n{child.log_tail()}")

    def bear(self, arguments: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]) -> Born:
        """A process of `edgeflow-cloud` with these arguments of the launcher. Raises CannotRun."""
        wish = {
            "arguments": list(arguments),
            "folder": str(folder),
            "log": str(log),
            "environment": dict(environment),
        }
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(20)
                line.connect(str(self._path))
                line.sendall(json.dumps(wish).encode() + b"\n")
                return Born(int(line.makefile().readline()))
        except (OSError, ValueError) as error:
            raise CannotRun(f"The nursery bears no more: {error}\n{self._child.log_tail()}") from error

    def close(self) -> None:
        """End it; what it bore dies with it."""
        self._child.kill()


def main() -> None:
    """Import the cloud, then fork for whoever asks."""
    app = import_module("edgeflow_cloud.app")
    for module in walk_packages(app.__path__, "edgeflow_cloud.app."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    launch = cast("Callable[[], None]", import_module("edgeflow_cloud.drills.launcher").main)
    path = Path(sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries whom it bore
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path.with_suffix(".tmp")))
    server.listen(64)
    path.with_suffix(".tmp").rename(path)
    while True:
        line, _ = server.accept()
        with line:
            wish = json.loads(line.makefile().readline())
            pid = os.fork()
            if pid == 0:
                _grow_up(wish, [server, line], launch)
            line.sendall(f"{pid}\n".encode())


def _grow_up(
    wish: dict[str, object], open_sockets: Sequence[socket.socket], launch: Callable[[], None]
) -> None:
    """In the new process: a session, a log and an environment of its own, then the launcher's work. Never returns."""
    code = 1
    try:
        os.setsid()
        _die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for one in open_sockets:
            one.close()
        log = os.open(str(wish["log"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(str(wish["folder"]))
        os.environ.clear()
        os.environ.update(cast("dict[str, str]", wish["environment"]))
        sys.argv = ["launcher", *cast("list[str]", wish["arguments"])]
        launch()
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_with_parent() -> None:
    """The kernel ends this process when the nursery ends."""
    ctypes = import_module("ctypes")
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    main()
