"""A process of the cloud that a drill starts, kills, pauses and starts again."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from edgeflow_cloud.drills.frame import CannotRun
from edgeflow_cloud.drills.nursery import Born, Nursery
from edgeflow_cloud.infra.embedded.errors import PartFailed
from edgeflow_cloud.infra.embedded.process import Child, ended, spawn

_LAUNCHER = "edgeflow_cloud.drills.launcher"
CLOCK = "EDGEFLOW_DRILL_CLOCK"
"""For the launcher: the file that says how far the process's clock is off."""
_START = 60.0


class Node:
    """One `edgeflow-cloud serve --role …` at one address, over all its lives."""

    def __init__(
        self,
        name: str,
        role: str,
        port: int,
        environment: Mapping[str, str],
        folder: Path,
        nursery: Nursery | None = None,
    ) -> None:
        self.name = name
        self.role = role
        self.port = port
        self.mutant = ""
        self.limits: Mapping[str, float] = {}
        """What is to be other than `tunnel.Limits` has it, so that nobody sits out ninety seconds."""
        self.lives = 0
        self._environment = environment
        self._folder = folder
        self._clock = folder / f"{name}.clock"
        self._nursery = nursery
        self._child: Child | Born | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.port

    @property
    def log(self) -> Path:
        """The log of its latest life."""
        return self._folder / f"{self.name}.{self.lives}.log"

    @property
    def alive(self) -> bool:
        """Whether its process runs (paused counts)."""
        return self._child is not None and self._child.alive()

    @property
    def child(self) -> Child | Born:
        """Its process. Raises CannotRun when it was never started."""
        if self._child is None:
            raise CannotRun(f"{self.name} was not started.")
        return self._child

    def spawn(self) -> None:
        """Start its process and return at once. Raises CannotRun."""
        self.lives += 1
        mutant = ["--mutant", self.mutant] if self.mutant else []
        limits = [word for name, value in self.limits.items() for word in ("--limit", f"{name}={value}")]
        role = [] if self.role == "all" else ["--role", self.role]
        arguments = [*mutant, *limits, "serve", *role]
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
        environment = {"LC_ALL": "C.UTF-8", "TZ": "UTC", **kept, **self._environment, CLOCK: str(self._clock)}
        if self._nursery is not None and not mutant:
            self._child = self._nursery.bear(arguments, self._folder, self.log, environment)
            return
        try:
            self._child = spawn(
                self.name,
                [sys.executable, "-m", _LAUNCHER, *arguments],
                folder=self._folder,
                log=self.log,
                patience=50,
                environment=environment,
            )
        except PartFailed as error:
            raise CannotRun(str(error)) from error

    async def ready(self, within: float = _START) -> float:
        """Wait until it says that it is ready; the seconds that took. Raises CannotRun."""
        began = time.monotonic()
        while '"event": "ready"' not in self.said() and '"ready"' not in self.said():
            if not self.alive:
                raise CannotRun(f"{self.name} ended while starting:\n{self.tail()}")
            if time.monotonic() - began > within:
                raise CannotRun(f"{self.name} was not ready within {within:g} s:\n{self.tail()}")
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def start(self) -> float:
        """Start and wait until ready; the seconds that took. Raises CannotRun."""
        began = time.monotonic()
        self.spawn()
        await self.ready()
        return time.monotonic() - began

    def kill(self) -> None:
        """kill -9."""
        self.child.kill()

    def pause(self) -> None:
        """SIGSTOP: it keeps its sockets and does nothing."""
        os.kill(self.child.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.child.pid, signal.SIGCONT)

    async def end(self, within: float = 50.0) -> float:
        """SIGTERM, and wait for it to end by itself; the seconds that took. Raises CannotRun when it does not."""
        began = time.monotonic()
        child = self.child
        os.kill(child.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(within):
                await (child.ended() if isinstance(child, Born) else ended(child))
        except TimeoutError:
            child.kill()
            raise CannotRun(f"{self.name} did not end within {within:g} s of SIGTERM.") from None
        child.wait(5) if isinstance(child, Born) else child.process.wait(5)
        return time.monotonic() - began

    def clear(self) -> None:
        """End it whatever it does, also when it is paused. Never raises."""
        if self._child is not None and self._child.alive():
            self._child.kill()

    def step_clock(self, seconds: float) -> None:
        """From now on its clock is so many seconds off the machine's."""
        self._clock.write_text(str(seconds))

    def memory(self) -> int:
        """Bytes of it that are in memory."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def spent(self) -> float:
        """Seconds of a processor that it has used."""
        words = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    async def count(self, name: str) -> float:
        """A figure of its metrics, as an operator sees it; 0 when it is not there. `name` has the labels with it."""
        async with httpx2.AsyncClient(timeout=20, trust_env=False) as client:
            shown = (await client.get(f"http://127.0.0.1:{self.port}/metrics")).text
        found = [line.rpartition(" ")[2] for line in shown.splitlines() if line.startswith(f"{name} ")]
        return float(found[0]) if found else 0.0

    def said(self) -> str:
        """Its log, whole."""
        try:
            return self.log.read_text(errors="replace")
        except OSError:
            return ""

    def tail(self) -> str:
        """The end of its log."""
        return "\n".join(self.said().splitlines()[-12:])
