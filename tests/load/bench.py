"""`make bench`: run the figures asked for, print the table, keep JSON."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.load import mosquitto
from tests.load.figures import commands, fleet, flows, heartbeats, listing, reads, shadows, start, telemetry
from tests.load.profile import Profile
from tests.load.report import Figure, keep, line, machine
from tests.load.stack import Stack, open_stack
from tools.root import ROOT

RUNS = 3


@dataclass
class Bench:
    """What a figure's file is given. `scale` shortens times and shrinks fleets, for trying the benches out."""

    folder: Path
    scale: float
    peer: str | None
    wanted: set[str]
    opened: ExitStack
    profiles: list[Profile] = field(default_factory=list[Profile])
    _stack: Stack | None = None

    @property
    def stack(self) -> Stack:
        """The shared parts, started when the first figure needs them."""
        if self._stack is None:
            self.say("starting PostgreSQL, Valkey, the S3 store; registering devices")
            self._stack = self.opened.enter_context(open_stack(self.folder, self.count(15_000) + 2_000))
        return self._stack

    def count(self, number: int) -> int:
        """A number of devices, at this scale."""
        return max(20, round(number * self.scale))

    def seconds(self, seconds: float) -> float:
        """A stretch of time, at this scale, never too short to mean anything."""
        return max(1.0, seconds * self.scale)

    def say(self, what: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


Measure = Callable[[Bench], list[Figure]]
MEASURES: tuple[tuple[set[str], Measure], ...] = (
    ({"S1", "S2", "S12"}, fleet.measure),
    ({"S3"}, heartbeats.measure),
    ({"S4", "S12"}, commands.measure),
    ({"S5"}, telemetry.measure),
    ({"S6"}, shadows.measure),
    ({"S7"}, reads.measure),
    ({"S7", "S12"}, listing.measure),
    ({"S10"}, flows.measure),
    ({"S9", "S10"}, start.measure),
)


def main() -> int:
    names = sorted({name for covered, _ in MEASURES for name in covered}, key=lambda name: int(name[1:]))
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "figures", nargs="*", metavar="FIGURE", help=f"of {' '.join(names)}; all when none is named"
    )
    parser.add_argument(
        "--scale", type=float, default=float(os.environ.get("SCALE", "1")), help="shrink the load"
    )
    given = parser.parse_args()
    wanted = {name.upper() for text in given.figures for name in text.split()} or set(names)
    if unknown := wanted - set(names):
        parser.error(f"no such figure: {' '.join(sorted(unknown))}; there are {' '.join(names)}")
    facts, began = machine(), time.monotonic()
    figures: list[Figure] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="edgeflow-bench-") as folder, ExitStack() as opened:
        needs_peer = wanted & {"S1", "S2", "S3"}
        bench = Bench(Path(folder), given.scale, mosquitto.find() if needs_peer else None, wanted, opened)
        if needs_peer and bench.peer is None:
            print(mosquitto.ADVICE, file=sys.stderr)
        for covered, measure in MEASURES:
            if covered & wanted:
                try:
                    figures += [figure for figure in measure(bench) if figure.promise in wanted]
                except RuntimeError as error:  # the others can be had all the same
                    failed.append(f"{'/'.join(sorted(covered))} could not be measured: {error}")
        opened.close()
    figures.sort(key=lambda figure: int(figure.promise[1:]))
    say(figures, bench.profiles, facts, given.scale, time.monotonic() - began)
    kept = keep(facts, figures, {one.name: one.document() for one in bench.profiles}, given.scale)
    print(f"\nKept in {kept.relative_to(ROOT)}; stacks in build/bench/profiles/")
    if failed:
        print("\n".join(failed), file=sys.stderr)
        return 2
    return 1 if any(figure.holds is False for figure in figures) else 0


def say(
    figures: list[Figure], profiles: list[Profile], facts: dict[str, object], scale: float, seconds: float
) -> None:
    """The table, then the profiles."""
    print()
    for figure in figures:
        print(line(figure))
        if figure.note:
            print(f"     {figure.note}")
    print()
    for profile in profiles:
        print("\n".join(profile.lines()))
    print(
        f"\n{facts}; took {seconds:.0f} s" + (f"; SCALE {scale:g}: not for comparison" if scale != 1 else "")
    )


if __name__ == "__main__":
    sys.exit(main())
