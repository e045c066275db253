"""What a bench says: figures with their floor and their promise, on which machine, of which revision."""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from tools.root import ROOT


@dataclass(frozen=True)
class Floor:
    """What a figure is held against, measured in the same run."""

    name: str
    values: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Promise:
    """A bound on the value, or (`of_floor`) on value / first floor."""

    bound: float
    at_least: bool = False
    of_floor: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:g}{' x floor' if self.of_floor else ''}"


@dataclass(frozen=True)
class Figure:
    """One measured number: the median of `values`, one a run."""

    promise: str
    what: str
    values: list[float]
    unit: str
    floors: list[Floor] = field(default_factory=list[Floor])
    promised: Promise | None = None
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def ratios(self) -> dict[str, float]:
        """value / floor by the floor's name."""
        return {floor.name: self.median / floor.median for floor in self.floors if floor.median}

    @property
    def holds(self) -> bool | None:
        """Whether the promise is kept; None where there is none."""
        if self.promised is None:
            return None
        if not self.promised.of_floor:
            return self.promised.holds(self.median)
        return bool(self.ratios) and self.promised.holds(next(iter(self.ratios.values())))

    def document(self) -> dict[str, object]:
        return {**asdict(self), "median": self.median, "ratios": self.ratios, "holds": self.holds}


def machine() -> dict[str, object]:
    """Facts without which a number means nothing."""
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.machine(),
    )  # fmt: skip
    return {
        "revision": _git("rev-parse", "--short", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": [round(value, 2) for value in os.getloadavg()],
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


def line(figure: Figure) -> str:
    """One row of the table."""
    beside = "; ".join(f"{floor.name} {_number(floor.median)} (x{figure.ratios.get(floor.name, 0):.2f})"
                       for floor in figure.floors)  # fmt: skip
    verdict = {True: "kept", False: "MISSED", None: ""}[figure.holds]
    promised = f"{figure.promised} {verdict}" if figure.promised else ""
    value = f"{_number(figure.median):>9} {figure.unit:<7}"
    return f"{figure.promise:<4} {figure.what:<66} {value} {promised:<22} {beside}".rstrip()


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def keep(
    facts: dict[str, object], figures: Sequence[Figure], profiles: dict[str, object], scale: float
) -> Path:
    """Write build/bench/DATE.json."""
    kept = ROOT / "build" / "bench" / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    body = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "scale": scale,
        "machine": {**facts, "load_after": [round(value, 2) for value in os.getloadavg()]},
        "figures": [figure.document() for figure in figures],
        "profiles": profiles,
    }
    kept.write_text(json.dumps(body, indent=1) + "\n")
    return kept
