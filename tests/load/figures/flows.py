"""S10: messages a second through a flow of five nodes, ours and Node-RED's in turn, the memory of each, and a soak."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from tests.load.flow.given import flow
from tests.load.report import Figure, Floor, Promise
from tools import nodered
from tools.root import ROOT

if TYPE_CHECKING:
    from tests.load.bench import Bench

_RUNS = 5
_SECONDS = 4.0
_SOAK_SECONDS = 180.0


class Soaked(msgspec.Struct):
    """What the soak prints; memory in MB."""

    rounds: int
    executions: int
    leaks: dict[str, int]
    grown: float
    grown_worker: float
    first: dict[str, int]
    last: dict[str, int]


class Said(msgspec.Struct):
    """What either side prints. `rss` in MB, one for each process."""

    rate: float
    rss: list[float]
    payload: dict[str, object]


def measure(bench: Bench) -> list[Figure]:
    peer = nodered.fetch()
    figures: list[Figure] = []
    sizes: list[float] = []
    theirs: list[float] = []
    for javascript in (False, True):
        bench.say(
            f"S10: a flow of five nodes{' with a JavaScript function' if javascript else ''}, ours and Node-RED's"
        )
        ours, others = [], []
        for run in range(_RUNS):
            seconds = bench.seconds(_SECONDS)
            user = bench.folder / f"node-red-{javascript}-{run}"
            user.mkdir()
            (user / "flows.json").write_text(json.dumps(flow(javascript)))
            script = ROOT / "tests" / "load" / "flow" / "nodered.js"
            other = _run([nodered.NODE, script, peer, user, user / "flows.json", seconds])
            one = _run(
                [sys.executable, "-m", "tests.load.flow.ours", seconds, *(["js"] if javascript else [])]
            )
            if set(one.payload) != set(other.payload):
                raise RuntimeError(f"the two engines do not agree: {one.payload} and {other.payload}")
            ours.append(one.rate)
            others.append(other.rate)
            if javascript:
                sizes.append(sum(one.rss))
                theirs.append(other.rss[0])
        name = "with a JavaScript function" if javascript else "native nodes"
        figures.append(
            Figure(
                "S10", f"flow of 5 nodes, {name}", ours, "messages/s", [Floor(f"Node-RED {nodered.VERSION}", others)],
                Promise(1.0 if javascript else 2.0, at_least=True, of_floor=True),
                "change, switch, " + ("function" if javascript else "range") + ", template, debug; in turn",
            )
        )  # fmt: skip
    figures.append(
        Figure("S10", "the agent's code with that flow under load, and its JavaScript process (RSS)", sizes, "MB",
               [Floor(f"Node-RED {nodered.VERSION}", theirs)], Promise(64))
    )  # fmt: skip
    return [*figures, *_soak(bench)]


def _soak(bench: Bench) -> list[Figure]:
    seconds = bench.seconds(_SOAK_SECONDS)
    bench.say(f"S10: an accelerated soak of {seconds:.0f} s")
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.flow.soak", str(seconds)],
        capture_output=True, text=True, timeout=seconds + 120, cwd=ROOT,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the soak failed: {done.stderr[-800:]}")
    said = msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=Soaked)
    if said.leaks:
        raise RuntimeError(f"the soak leaks: {said.leaks}; from {said.first} to {said.last}")
    return [
        Figure(
            "S10", "what an accelerated soak leaves behind, engine and JavaScript process (RSS)",
            [max(0.0, said.grown) + max(0.0, said.grown_worker)], "MB", [], Promise(8),
            f"{said.executions:,} executions in {said.rounds} redeploys; no object, descriptor, task or file more",
        )
    ]  # fmt: skip


def _run(command: list[object]) -> Said:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=90, cwd=ROOT
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-800:]}")
    return msgspec.json.decode(lines[-1], type=Said)
