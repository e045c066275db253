"""S1, S2 and S12's share of S1: a fleet comes in, step by step; what each device costs in memory and in time.

A hub alone in its process, on its own port and on the one port; held against bare picows and mosquitto that take the
same number of connections from the same generator. Memory is the growth of the process (PSS) since 200 warm-up
connections, with one heartbeat said by each. The kernel's socket buffers are nobody's process and not in it.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.load import mosquitto
from tests.load.child import Child
from tests.load.profile import profiled
from tests.load.report import Figure, Floor, Promise

if TYPE_CHECKING:
    from tests.load.bench import Bench

STEPS = (1_000, 5_000, 10_000, 15_000)
WARM = 200
AT_ONCE = 256
_RUNS = 3


@dataclass
class Ramp:
    """What one way of coming in gave, a value a run: KiB a device by fleet size, connects a second."""

    memory: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    per_core: list[float] = field(default_factory=list[float])
    rate: list[float] = field(default_factory=list[float])


def measure(bench: Bench) -> list[Figure]:
    own, one, bare, peer = Ramp(), Ramp(), Ramp(), Ramp()
    for run in range(_RUNS):
        bench.say(f"S1 S2: a fleet comes in, run {run + 1} of {_RUNS}")
        last = run == _RUNS - 1
        with bench.stack.serve("hub", own_port=True, name="hub") as served:
            climb(bench, own, served.child, served.tunnel, "device", STEPS, profile="S2-hub" if last else "")
        with bench.stack.serve("hub", name="hub-one-port") as served:
            climb(bench, one, served.child, served.tunnel, "device", STEPS[:3])
        with bench.stack.bare() as served:
            climb(bench, bare, served.child, served.tunnel, "bare", STEPS)
        if bench.peer:
            with mosquitto.serve(bench.peer, bench.folder) as (child, port):
                climb(bench, peer, child, port, "mqtt", STEPS)
    return [*memory(bench, own, one, bare, peer), *connects(own, one, bare, peer)]


def climb(
    bench: Bench, ramp: Ramp, child: Child, port: int, kind: str, steps: tuple[int, ...], profile: str = ""
) -> None:
    """Bring the fleet in, measuring at each step. Connects a second are those of all steps together."""
    with bench.stack.generator(bare=kind != "device") as generator:
        come = {"do": "connect", "port": port, "at_once": AT_ONCE, "kind": kind}
        generator.ask({**come, "count": bench.count(WARM)})
        generator.ask({"do": "ping"})
        time.sleep(bench.seconds(1.0))
        base, inside, seconds, spent = child.memory(), 0, 0.0, 0.0
        for step in steps:
            count = bench.count(step)
            before = child.cpu()
            with _profile(bench, profile if step == steps[-1] else "", child):
                seconds += generator.ask({**come, "count": count - inside})["seconds"]
            spent += child.cpu() - before
            inside = count
            generator.ask({"do": "ping"})
            time.sleep(bench.seconds(1.5))
            ramp.memory.setdefault(step, []).append((child.memory() - base) / inside / 1024)
        ramp.rate.append(inside / seconds)
        ramp.per_core.append(inside / spent)


@contextmanager
def _profile(bench: Bench, name: str, child: Child) -> Generator[None]:
    if not name:
        yield
        return
    with profiled(name, child.pid, bench.seconds(2.0)) as found:
        yield
    bench.profiles.append(found)


def memory(bench: Bench, own: Ramp, one: Ramp, bare: Ramp, peer: Ramp) -> list[Figure]:
    """S1 at 10,000, S12 at the other sizes."""
    made: list[Figure] = []
    for step in STEPS:
        floors = _floors(bare.memory.get(step), peer.memory.get(step))
        name = f"a connected, authenticated, idle device, of {bench.count(step):,}"
        usual = step == 10_000
        promised = Promise(14) if usual else None
        what = f"{name}, hub's own port"
        made.append(Figure("S1" if usual else "S12", what, own.memory[step], "KiB", floors, promised))
        if usual:
            made.append(Figure("S1", f"{name}, the one port", one.memory[step], "KiB", floors, promised))
    return made


def connects(own: Ramp, one: Ramp, bare: Ramp, peer: Ramp) -> list[Figure]:
    """S2, for a second of the hub's processor time and for a second of the clock."""
    half = Promise(0.5, at_least=True, of_floor=True)
    core = _floors(bare.per_core, peer.per_core)
    clock = _floors(bare.rate, peer.rate)
    asked = f"{AT_ONCE} at once; PostgreSQL and the generator share the machine's cores with the hub"
    return [
        Figure(
            "S2",
            "authenticated connects a second of one hub core, own port",
            own.per_core,
            "/cpu-s",
            core,
            half,
        ),
        Figure(
            "S2",
            "authenticated connects a second of one hub core, one port",
            one.per_core,
            "/cpu-s",
            core,
            half,
        ),
        Figure("S2", "the same by the clock, own port", own.rate, "/s", clock, None, asked),
        Figure("S2", "the same by the clock, one port", one.rate, "/s", clock),
    ]


def _floors(bare: list[float] | None, peer: list[float] | None) -> list[Floor]:
    return [Floor(name, values) for name, values in (("picows", bare), ("mosquitto", peer)) if values]
