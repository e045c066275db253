"""Processes of a bench: started, asked in JSON lines, measured from outside, ended by their id."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

Answer = dict[str, float]
TICKS = os.sysconf("SC_CLK_TCK")


class ChildFailed(RuntimeError):
    """A process of the bench ended, was silent for too long, or said that it cannot."""


class Child:
    """A process; its stderr (and its stdout, unless it is `asked`) goes to `log`."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, *, asked: bool = False
    ) -> None:
        self.log = log
        self._rest = b""
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
                stdout=subprocess.PIPE if asked else out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, order: Mapping[str, object] | None = None, *, limit: float = 120.0) -> Answer:
        """Send an order, read one line of JSON. Raises ChildFailed."""
        stdin = self.process.stdin
        if order is not None and stdin is not None:
            try:
                stdin.write(json.dumps(order).encode() + b"\n")
                stdin.flush()
            except OSError as error:
                raise self._failed("does not listen") from error
        answer = cast("Answer | dict[str, str]", json.loads(self._line(limit)))
        if "failed" in answer:
            raise self._failed(str(answer["failed"]))
        return cast("Answer", answer)

    def _line(self, limit: float) -> bytes:
        stdout = self.process.stdout
        if stdout is None:
            raise RuntimeError("this child is not asked")
        until = time.monotonic() + limit
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if time.monotonic() > until:
                    raise self._failed(f"said nothing for {limit:g} s")
                if selector.select(0.5):
                    more = os.read(stdout.fileno(), 1 << 20)
                    if not more:
                        raise self._failed("ended")
                    self._rest += more
        found, _, self._rest = self._rest.partition(b"\n")
        return found

    def _failed(self, what: str) -> ChildFailed:
        tail = self.log.read_text(errors="replace")[-1500:]
        return ChildFailed(f"{self.log.stem} (process {self.pid}) {what}.\n{tail}")

    def until_open(self, port: int, limit: float = 60.0) -> None:
        """Wait until the port takes connections. Raises ChildFailed."""
        until = time.monotonic() + limit
        while True:
            with socket.socket() as probe:
                probe.settimeout(1.0)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self.process.poll() is not None or time.monotonic() > until:
                raise self._failed(f"does not serve port {port}")
            time.sleep(0.05)

    def cpu(self) -> float:
        """Seconds of processor time that it has used, in user and kernel."""
        self._require()
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> int:
        """Bytes: its proportional share (PSS), pages that others share counted in part."""
        self._require()
        return pss(self.pid)

    def _require(self) -> None:
        if (code := self.process.poll()) is not None:
            raise self._failed(f"ended with {code}")

    def end(self, number: signal.Signals = signal.SIGTERM, within: float = 30.0) -> None:
        """Signal it; kill it when it is still there after `within` seconds."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(within)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def pss(pid: int) -> int:
    """Proportional set size of a process, in bytes."""
    for text in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if text.startswith("Pss:"):
            return int(text.split()[1]) * 1024
    return 0


def module(name: str, *arguments: str) -> list[str]:
    """The command of one of our own programs."""
    return [sys.executable, "-m", f"tests.load.{name}", *arguments]


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
