"""S4 and S12's share of it: a command over REST to a connected device and its answer in the reply, stored on the way.

Latency is taken at a rate far below what is sustained, from the moment a call was due; the sustained rate by callers
who ask again when they are answered. All roles in one process, and each in its own. The floor is the same call through
a bare FastAPI and picows in one process: no login, no store.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edgeflow_cloud.kernel import ids
from tests.load.child import Answer, Child
from tests.load.profile import profiled
from tests.load.report import Figure, Floor, Promise

if TYPE_CHECKING:
    from tests.load.bench import Bench
    from tests.load.stack import Served

SIZES = (1_000, 5_000, 10_000, 15_000)
"""Connected devices: S4 is at 10,000, the others show whether it grows."""
USUAL = 10_000
PACE = 50.0
"""Calls a second while latency is measured."""
AT_ONCE = 16
SECONDS = 4.0
_RUNS = 3
BODY = json.dumps({"action": "health_check"})


def measure(bench: Bench) -> list[Figure]:
    bench.say("S4: commands")
    floor = bare(bench)
    grown: dict[int, list[Answer]] = {}
    sustained: list[Answer] = []
    made: list[Figure] = []
    with ExitStack() as opened:
        served = opened.enter_context(bench.stack.serve(name="whole"))
        caller = opened.enter_context(bench.stack.ask("caller"))
        generator = opened.enter_context(bench.stack.generator())
        inside = 0
        for size in SIZES:
            count = bench.count(size)
            generator.ask({"do": "connect", "port": served.tunnel, "count": count - inside})
            inside = count
            _aim(bench, caller, served, inside)
            caller.ask({"do": "paced", "rate": PACE, "seconds": bench.seconds(1.0)})
            grown[size] = [_paced(bench, caller) for _ in range(_RUNS)]
            if size == USUAL:
                sustained = [_closed(bench, caller, served.child) for _ in range(_RUNS)]
                with profiled("S4-whole", served.child.pid, bench.seconds(SECONDS)) as profile:
                    _closed(bench, caller)
                bench.profiles.append(profile)
    made += _figures(bench, "one process", grown, sustained, floor)
    made += _apart(bench, floor)
    return made


def _apart(bench: Bench, floor: dict[str, list[float]]) -> list[Figure]:
    """Each role in a process of its own."""
    with ExitStack() as opened:
        worker = opened.enter_context(bench.stack.serve("worker", name="worker"))
        hub = opened.enter_context(bench.stack.serve("hub", own_port=True, name="hub"))
        api = opened.enter_context(bench.stack.serve("api", name="api"))
        generator = opened.enter_context(bench.stack.generator())
        caller = opened.enter_context(bench.stack.ask("caller"))
        generator.ask({"do": "connect", "port": hub.tunnel, "count": bench.count(USUAL)})
        _aim(bench, caller, api, bench.count(USUAL))
        caller.ask({"do": "paced", "rate": PACE, "seconds": bench.seconds(1.0)})
        paced = [_paced(bench, caller) for _ in range(_RUNS)]
        sustained = [_closed(bench, caller, api.child, hub.child, worker.child) for _ in range(_RUNS)]
        with profiled("S4-api", api.child.pid, bench.seconds(SECONDS)) as profile:
            _closed(bench, caller)
        bench.profiles.append(profile)
    return _figures(bench, "roles apart", {USUAL: paced}, sustained, floor)


def bare(bench: Bench) -> dict[str, list[float]]:
    """The floor's p50, p99 and sustained rate, a value a run."""
    with ExitStack() as opened:
        served = opened.enter_context(bench.stack.bare(rest=True))
        generator = opened.enter_context(bench.stack.generator(bare=True))
        caller = opened.enter_context(bench.stack.ask("caller"))
        count = bench.count(SIZES[0])
        generator.ask({"do": "connect", "port": served.tunnel, "count": count, "kind": "bare"})
        paths = [("POST", f"/devices/{number}/commands", "", BODY) for number in range(count)]
        caller.ask({"do": "targets", "port": served.rest, "requests": paths})
        caller.ask({"do": "paced", "rate": PACE, "seconds": bench.seconds(1.0)})
        paced = [_paced(bench, caller) for _ in range(_RUNS)]
        closed = [_closed(bench, caller, served.child) for _ in range(_RUNS)]
    points = {point: [one[point] for one in paced] for point in ("p50", "p99")}
    return points | {name: [one[name] for one in closed] for name in ("rate", "per_core")}


def _aim(bench: Bench, caller: Child, served: Served, count: int) -> None:
    """Every device in turn, by its own organization's owner."""
    stack = bench.stack
    owners = stack.organizations
    requests = [
        (
            "POST",
            f"/api/v1/devices/{ids.encode(ids.DEVICE, device)}/commands?wait=10",
            owners[number % len(owners)].token,
            BODY,
        )
        for number, device in enumerate(stack.devices[:count])
    ]
    caller.ask({"do": "targets", "port": served.rest, "requests": requests})


def _paced(bench: Bench, caller: Child) -> Answer:
    return caller.ask({"do": "paced", "rate": PACE, "seconds": bench.seconds(SECONDS)})


def _closed(bench: Bench, caller: Child, *servers: Child) -> Answer:
    """One run; `per_core` is calls for a second of the servers' processor time."""
    before = sum(server.cpu() for server in servers)
    answer = caller.ask({"do": "closed", "at_once": AT_ONCE, "seconds": bench.seconds(SECONDS)})
    spent = sum(server.cpu() for server in servers) - before
    return {**answer, "per_core": answer["calls"] / spent if servers else 0.0}


def _figures(
    bench: Bench,
    where: str,
    paced: dict[int, list[Answer]],
    sustained: list[Answer],
    floor: dict[str, list[float]],
) -> list[Figure]:
    made: list[Figure] = []
    for size, answers in paced.items():
        usual = size == USUAL
        for point, bound in (("p50", 4.0), ("p99", 20.0)):
            made.append(
                Figure(
                    "S4" if usual else "S12",
                    f"command and stored answer, {bench.count(size):,} connected, {where}, {point}",
                    [answer[point] for answer in answers],
                    "ms",
                    [Floor("bare", floor[point])],
                    Promise(bound) if usual else None,
                )
            )
    rates = [answer["rate"] for answer in sustained]
    busy = [answer["p50"] for answer in sustained]
    made.append(
        Figure(
            "S4",
            f"commands a second, sustained, {AT_ONCE} callers, {where}",
            rates,
            "/s",
            [Floor("bare", floor["rate"])],
            Promise(1_500, at_least=True),
            f"p50 then {sorted(busy)[len(busy) // 2]:.1f} ms",
        )
    )
    made.append(
        Figure(
            "S4",
            f"commands for a second of the cloud's processor time, {where}",
            [answer["per_core"] for answer in sustained],
            "/cpu-s",
            [Floor("bare", floor["per_core"])],
            None,
            "without PostgreSQL's and Valkey's time",
        )
    )
    return made
