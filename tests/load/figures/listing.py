"""S12: a page of devices among 1,000, 10,000 and 100,000 registered ones of one organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.load.profile import profiled
from tests.load.report import Figure, Promise

if TYPE_CHECKING:
    from tests.load.bench import Bench

SIZES = (1_000, 10_000, 100_000)
SECONDS = 3.0
_RUNS = 3
_CALLS = (("first page of 50", "?limit=50"), ("search by name", "?limit=50&search=-000{digit}"))


def measure(bench: Bench) -> list[Figure]:
    bench.say("S12: lists of registered devices")
    stack = bench.stack
    made: list[Figure] = []
    # Few enough calls that one person's limit, 1,000 at once and 100 a second, is not met.
    order: dict[str, object] = {"do": "closed", "at_once": 1, "seconds": bench.seconds(SECONDS), "most": 150}
    for organization, size in zip(stack.organizations, SIZES, strict=False):
        stack.add_devices(bench.count(size), [organization.id], name=f"listed{size}")
    with stack.serve("api", name="api") as api, stack.ask("caller") as caller:
        for organization, size in zip(stack.organizations, SIZES, strict=False):
            for what, query in _CALLS:
                paths = [
                    ("GET", f"/api/v1/devices{query.format(digit=digit)}", organization.token, "")
                    for digit in range(1, 10)
                ]
                caller.ask({"do": "targets", "port": api.rest, "requests": paths})
                caller.ask({**order, "most": 10})
                p95 = [caller.ask(order)["p95"] for _ in range(_RUNS)]
                promised = Promise(30) if size == SIZES[-1] else None
                name = f"{what}, {bench.count(size):,} registered, p95"
                made.append(Figure("S12", name, p95, "ms", [], promised))
        with profiled("S12-api", api.child.pid, bench.seconds(SECONDS)) as profile:
            caller.ask(order)
        bench.profiles.append(profile)
    return made
