"""Measure a real start, its memory and the way of a command; print a table, keep JSON in build/bench/.

One machine's noise is 10 to 30 percent: compare runs on one machine, and mind what else it does. Each line names
the promise that it belongs to.
"""

import json
import os
import re
import selectors
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2
import psutil

from tools.root import BIN, ROOT

COMMANDS = 300
IDLE_SECONDS = 10.0


@dataclass(frozen=True)
class Figure:
    """One measured number beside what was promised."""

    promise: str
    what: str
    value: float
    unit: str
    promised: float | None


class Product:
    """A started `edgeflow-cloud up` with its demo device."""

    def __init__(self, folder: Path) -> None:
        environment = {
            **os.environ,
            "EDGEFLOW_DATA_DIR": str(folder),
            "EDGEFLOW_PORT": "0",
            "EDGEFLOW_LOG_LEVEL": "warning",
            "NO_COLOR": "1",
        }
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [BIN / "edgeflow-cloud", "up"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.said = ""

    def wait_for(self, pattern: str, limit: float = 120.0) -> tuple[re.Match[str], float]:
        """Read its output until `pattern`; the match, and the seconds since the start."""
        output = self.process.stdout
        if output is None:
            raise RuntimeError("the output is not a pipe")
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while True:
                found = re.search(pattern, self.said)
                if found:
                    return found, time.monotonic() - self.began
                if time.monotonic() - self.began > limit or self.process.poll() is not None:
                    raise RuntimeError(f"`up` did not say {pattern!r}:\n{self.said}")
                if selector.select(0.5):
                    self.said += os.read(output.fileno(), 65536).decode(errors="replace")

    def processes(self) -> list[psutil.Process]:
        """It, its parts and its demo device."""
        root = psutil.Process(self.process.pid)
        return [process for process in [root, *root.children(recursive=True)] if process.is_running()]

    def end(self) -> float:
        """Interrupt it; the seconds that it takes to end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        return time.monotonic() - began


def measure(folder: Path) -> list[Figure]:
    """Start twice; measure the second start, the memory at rest, commands, the end."""
    product = Product(folder)
    try:
        password = product.wait_for(r"Password\s+(\S+)")[0].group(1)
        _, first = product.wait_for(r"device online")
    finally:
        product.end()

    product = Product(folder)
    try:
        _, ready = product.wait_for(r"Cloud ready")
        url = product.wait_for(r"Console\s+(\S+)")[0].group(1)
        login = product.wait_for(r"Login\s+(\S+)")[0].group(1)
        _, online = product.wait_for(r"device online")
        time.sleep(IDLE_SECONDS)
        processes = product.processes()
        # Pages that are shared, PostgreSQL's above all, are counted once.
        whole = sum(process.memory_full_info().pss for process in processes) / 1e6
        agent = sum(p.memory_info().rss for p in processes if "edgeflow_agent" in p.cmdline()) / 1e6
        times = commands(url, login, password)
    finally:
        ended = product.end()
    percentiles = statistics.quantiles(times, n=100)
    return [
        Figure("S9", "first start until the device is online", first, "s", None),
        Figure("S9", "second start until the cloud is ready", ready, "s", 6),
        Figure("S9", "second start until the device is online", online, "s", 6),
        Figure("S9", "whole stack and demo device, idle", whole, "MB", 600),
        Figure("S10", "agent, resident", agent, "MB", 48),
        Figure("S4", "command and its result over REST, one device, median", percentiles[49], "ms", None),
        Figure("S4", "the same, 99 of 100", percentiles[98], "ms", None),
        Figure("R11", "Ctrl-C until everything has ended", ended, "s", 45),
    ]


def commands(url: str, email: str, password: str) -> list[float]:
    """Milliseconds of each of COMMANDS calls that run `health_check` on the device, one after the other."""
    with httpx2.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=30) as api:
        entry = api.post("/auth/login", json={"email": email, "password": password}).raise_for_status().json()
        api.headers["Authorization"] = f"Bearer {entry['access_token']}"
        device = api.get("/devices").raise_for_status().json()["items"][0]["device_id"]
        times: list[float] = []
        for _ in range(COMMANDS):
            began = time.perf_counter()
            answer = api.post(f"/devices/{device}/commands", json={"action": "health_check"})
            if answer.status_code != 200 or answer.json()["status"] != "done":
                raise RuntimeError(f"the command was answered {answer.status_code}: {answer.text[:300]}")
            times.append((time.perf_counter() - began) * 1000)
    return times[COMMANDS // 10 :]  # the first tenth warms up


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="edgeflow-bench-") as folder:
        figures = measure(Path(folder) / "data")
    for figure in figures:
        promised = "" if figure.promised is None else f"promised: at most {figure.promised:g}"
        print(f"{figure.promise:>4}  {figure.what:<54} {figure.value:8.1f} {figure.unit:<3} {promised}")
    kept = ROOT / "build" / "bench" / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
    print(f"Kept in {kept.relative_to(ROOT)}")
    missed = [f for f in figures if f.promised is not None and f.value > f.promised]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
