"""S9 and S10's memory: `edgeflow-cloud up` as a person starts it, again and again in one data folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.load.child import pss
from tests.load.profile import profiled
from tests.load.report import Figure, Promise
from tools.root import BIN

if TYPE_CHECKING:
    from tests.load.bench import Bench

_RUNS = 3
IDLE_SECONDS = 8.0


class Product:
    """A started `up` with its demo device."""

    def __init__(self, folder: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EDGEFLOW_")}
        environment |= {
            "EDGEFLOW_DATA_DIR": str(folder),
            "EDGEFLOW_PORT": "0",
            "EDGEFLOW_LOG_LEVEL": "warning",
            "NO_COLOR": "1",
        }
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._log = folder.parent / f"up-{time.monotonic_ns()}.log"
        self.began = time.monotonic()
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [BIN / "edgeflow-cloud", "up"],
                env=environment,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )

    def wait_for(self, pattern: str, limit: float = 120.0) -> float:
        """Seconds from the start until it says `pattern`."""
        while not re.search(pattern, self._log.read_text(errors="replace")):
            if time.monotonic() - self.began > limit or self.process.poll() is not None:
                raise RuntimeError(
                    f"`up` did not say {pattern!r}:\n{self._log.read_text(errors='replace')[-2000:]}"
                )
            time.sleep(0.01)
        return time.monotonic() - self.began

    def processes(self) -> list[psutil.Process]:
        """It, its parts and its demo device."""
        root = psutil.Process(self.process.pid)
        return [process for process in [root, *root.children(recursive=True)] if process.is_running()]

    def end(self) -> float:
        """Interrupt it; the seconds that it takes to end."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        return time.monotonic() - began


def measure(bench: Bench) -> list[Figure]:
    bench.say("S9 S10: up, again and again")
    folder = bench.folder / "up" / "data"
    first, ready, online, whole, cloud, agents, ended = ([] for _ in range(7))
    product = Product(folder)
    try:
        first.append(product.wait_for(r"device online"))
    finally:
        product.end()
    for run in range(_RUNS):
        product = Product(folder)
        try:
            if run == _RUNS - 1:
                with profiled("S9-up", product.process.pid, 3.0) as profile:
                    product.wait_for(r"device online")
                bench.profiles.append(profile)
            else:
                ready.append(product.wait_for(r"Cloud ready"))
                online.append(product.wait_for(r"device online"))
            time.sleep(bench.seconds(IDLE_SECONDS))
            sizes = {process: pss(process.pid) / 1e6 for process in product.processes()}
            whole.append(sum(sizes.values()))
            cloud.append(sizes[psutil.Process(product.process.pid)])
            agents.append(sum(p.memory_info().rss / 1e6 for p in sizes if "edgeflow_agent" in p.cmdline()))
        finally:
            ended.append(product.end())
    note = "PSS: a page that several processes share, PostgreSQL's above all, is counted once"
    return [
        Figure("S9", "up, a later start: the cloud is ready", ready, "s", [], Promise(6)),
        Figure("S9", "up, a later start: the demo device is online", online, "s"),
        Figure("S9", "up, the first start: the demo device is online", first, "s"),
        Figure("S9", "up, whole stack and demo device, idle", whole, "MB", [], Promise(600), note),
        Figure("S9", "up, the cloud's own process of it", cloud, "MB"),
        Figure("S9", "up, Ctrl-C until everything has ended", ended, "s"),
        Figure("S10", "agent, idle, resident (RSS)", agents, "MB", [], Promise(48)),
    ]
