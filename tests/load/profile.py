"""Where a process spends its time while it is under load: py-spy, folded to the lines that cost most."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.root import BIN, ROOT

KEPT = ROOT / "build" / "bench" / "profiles"
_RATE = 200
_LINES = 8


@dataclass
class Profile:
    """Shares of the samples, largest first. `own`: the innermost line; `within`: functions with all they call."""

    name: str
    own: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    within: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    missing: str = ""

    def document(self) -> dict[str, object]:
        return {"own": self.own, "within": self.within, "missing": self.missing}

    def lines(self) -> list[str]:
        if self.missing:
            return [f"{self.name}: no profile, {self.missing}"]
        rows = [f"{self.name}: own time by line"]
        rows += [f"  {share:6.1%}  {where}" for where, share in self.own[:_LINES]]
        return [
            *rows,
            "  with what they call:",
            *(f"  {share:6.1%}  {where}" for where, share in self.within[:_LINES]),
        ]


@contextmanager
def profiled(name: str, pid: int, seconds: float) -> Generator[Profile]:
    """Sample process `pid` for so long while the block puts load on it; the Profile is filled at the block's end."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path, made = KEPT / f"{name}.raw", Profile(name)
    path.unlink(missing_ok=True)
    program = shutil.which("py-spy", path=f"{BIN}:{os.environ.get('PATH', '')}")
    if program is None:
        made.missing = "py-spy is not installed (`make bench` installs it with the other packages)"
        yield made
        return
    spy = subprocess.Popen(
        [program, "record", "--pid", str(pid), "--duration", str(max(1, round(seconds))), "--rate", str(_RATE),
         "--format", "raw", "--nonblocking", "--output", path],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield made
    finally:
        try:
            _, said = spy.communicate(timeout=seconds + 30)
        except subprocess.TimeoutExpired:
            spy.kill()
            _, said = spy.communicate()
        if path.exists():
            _fold(path, made)
        else:
            made.missing = f"py-spy said: {said.decode(errors='replace').strip()[-300:]}"


def _fold(path: Path, made: Profile) -> None:
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()
    total = 0
    for row in path.read_text(errors="replace").splitlines():
        stack, _, count = row.rpartition(" ")
        frames = [_short(frame) for frame in stack.split(";") if not frame.startswith("process ")]
        if not frames or not count.isdigit():
            continue
        total += int(count)
        own[frames[-1]] += int(count)
        for function in {frame.rpartition(":")[0] + ")" for frame in frames}:
            within[function] += int(count)
    if total:
        made.own = [(where, count / total) for where, count in own.most_common(25)]
        made.within = [(where, count / total) for where, count in within.most_common(60) if _ours(where)]


def _ours(where: str) -> bool:
    return "edgeflow" in where or "asyncpg" in where or "fastapi" in where


def _short(frame: str) -> str:
    """`take (…/site-packages/asyncpg/pool.py:12)` -> `take (asyncpg/pool.py:12)`."""
    for mark in ("site-packages/", "/cloud/", "/protocol/", "python3.11/", "/agent/"):
        name, found, place = frame.partition(mark)
        if found:
            return name.partition("(")[0] + "(" + place
    return frame
