"""Child processes that end when they should, and are found when they did not.

Every child runs in a session of its own, so that Ctrl-C reaches only us and the order of ending is ours.
A child is recognised by what the kernel says of it: its program's name and its working directory, which is
the folder it keeps its data in (compared by device and inode). That needs no pid file that could be stale,
cannot mistake a reused pid for ours, and finds the orphans of a supervisor that was killed with -9.
"""

import asyncio
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgeflow_cloud.infra.embedded.errors import PartFailed

_POLL_SECONDS = 0.02
_TAIL_BYTES = 4096


_Start = Callable[[], subprocess.Popen[bytes]]


class _Spawner:
    """One thread, alive as long as this process, that starts every child.

    The kernel sends a child its "parent died" signal when the *thread* that started it ends, not the process.
    Worker threads come and go; this one does not, so the signal means what it says.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[_Start, Future[subprocess.Popen[bytes]]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._lock = threading.Lock()

    def start(self, call: _Start) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._thread is None or self._pid != os.getpid():
                self._work = queue.SimpleQueue()
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._run, name="edgeflow-spawner", daemon=True)
                self._thread.start()
        future: Future[subprocess.Popen[bytes]] = Future()
        self._work.put((call, future))
        return future.result()

    def _run(self) -> None:
        work = self._work
        while True:
            call, future = work.get()
            try:
                future.set_result(call())
            except BaseException as error:  # the caller's thread is the one to judge it
                future.set_exception(error)


_spawner = _Spawner()


@dataclass(slots=True)
class Child:
    """A running child of ours."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    end_signal: signal.Signals
    patience: float
    """Seconds between the signal that asks and the one that forces."""
    after: Callable[[], None] | None = None
    """Clears what the program leaves behind, once it has ended."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def log_tail(self) -> str:
        """The end of the child's log, for a message a person reads."""
        return tail(self.log)

    def stop(self) -> bool:
        """Ask the child to end, force it after `patience` seconds. True when it ended by itself."""
        if self.process.poll() is None:
            self.process.send_signal(self.end_signal)
            try:
                self.process.wait(self.patience)
            except subprocess.TimeoutExpired:
                self.kill()
                return False
        self._clear()
        return True

    def kill(self) -> None:
        """End the child and everything in its session at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self._clear()

    def _clear(self) -> None:
        if self.after is not None:
            self.after()


def spawn(
    name: str,
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    end_signal: signal.Signals = signal.SIGTERM,
    patience: float = 5.0,
    environment: Mapping[str, str] | None = None,
    wrap: Sequence[str] = (),
    after: Callable[[], None] | None = None,
) -> Child:
    """Start `wrap + command` in `folder`, with its output in `log` (made anew).

    Raises PartFailed when the program cannot be started.
    """
    # The signal is set last: entering a user namespace changes the credentials, and the kernel forgets the
    # parent-death signal when they change.
    full = [*wrap, *_fate(end_signal), *command]
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        **(environment or {}),
    }
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise PartFailed.from_os_error(name, error) from error
    try:
        process = _spawner.start(
            lambda: subprocess.Popen(  # noqa: S603 - our own program and arguments
                full,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
                umask=0o077,
            )
        )
    except OSError as error:
        raise PartFailed.from_os_error(name, error) from error
    finally:
        os.close(descriptor)
    return Child(name, process, log, end_signal, patience, after)


def run_to_end(
    command: Sequence[str], text: str, *, wrap: Sequence[str] = (), limit: float, abort: threading.Event
) -> tuple[int, str]:
    """Run a program that does one thing, with `text` as its input. Returns its exit code and what it complained.

    It is killed when `abort` is set, after `limit` seconds, and when we die. Raises OSError, TimeoutError.
    """
    fate = _fate(signal.SIGKILL)
    process = subprocess.Popen(  # noqa: S603 - our own program and arguments
        [*wrap, *fate, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        start_new_session=True,
    )
    deadline = time.monotonic() + limit
    words: bytes | None = text.encode()
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                _, complaint = process.communicate(words, timeout=0.1)
                return process.returncode, complaint.decode("utf-8", "replace").strip()
            words = None  # they are on their way
            if abort.is_set() or time.monotonic() > deadline:
                raise TimeoutError
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def wait_ready(child: Child, ready: Callable[[], bool], *, limit: float, abort: threading.Event) -> None:
    """Poll `ready` until it is true. The child is stopped when that does not come to pass.

    Raises PartFailed, with the log's end, when the child ends, `limit` seconds are up, or `abort` is set.
    """
    deadline = time.monotonic() + limit
    while not ready():
        if not child.alive():
            what = f"ended while starting (exit code {child.process.returncode})"
            raise PartFailed(child.name, what, child.log_tail())
        if abort.is_set():
            child.stop()
            raise PartFailed(child.name, "was stopped while starting")
        if time.monotonic() > deadline:
            child.kill()
            raise PartFailed(child.name, f"was not ready after {limit:.0f} seconds", child.log_tail())
        time.sleep(_POLL_SECONDS)


async def ended(child: Child) -> None:
    """Return when the child has ended."""
    try:
        descriptor = os.pidfd_open(child.pid)
    except ProcessLookupError:
        return
    except OSError:  # a kernel older than 5.3
        await asyncio.to_thread(child.process.wait)
        return
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _fate(number: signal.Signals) -> list[str]:
    """Words before a command that have the kernel send it `number` when the thread that started it ends."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", number.name.removeprefix("SIG"), "--"] if setpriv else []


def tail(path: Path) -> str:
    """The last few kilobytes of a text file, empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def left_behind(program: str, folder: Path, argument: str = "") -> list[int]:
    """Pids of processes named `program` whose working directory is `folder`: an earlier run's leavings.

    `argument` must be in the command line too, for a program that others run as well (Python).
    """
    try:
        here = folder.stat()
    except OSError:
        return []
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            if Path(f"/proc/{entry}/comm").read_text().strip() != program[:15]:
                continue
            if argument and argument not in Path(f"/proc/{entry}/cmdline").read_text().split("\0"):
                continue
            there = os.stat(f"/proc/{entry}/cwd")
        except OSError:
            continue  # gone meanwhile, or another user's
        if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
            found.append(int(entry))
    return found


def end_left_behind(
    program: str, folder: Path, end_signal: signal.Signals, *, patience: float, argument: str = ""
) -> int:
    """End what an earlier run left in `folder`, politely first. Returns how many processes there were."""
    pids = set(left_behind(program, folder, argument))
    for pid in pids:
        _send(pid, end_signal)
    deadline = time.monotonic() + patience
    while not all(_is_over(pid) for pid in pids) or left_behind(program, folder, argument):
        if time.monotonic() > deadline:
            for pid in left_behind(program, folder, argument):
                pids.add(pid)
                _send(pid, signal.SIGKILL)
            deadline += 5
        time.sleep(_POLL_SECONDS)
    return len(pids)


def _is_over(pid: int) -> bool:
    """Whether the process has let go of its files and ports. It may be waiting for its parent to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "ZX"


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
