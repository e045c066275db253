"""S6: shadow updates, versioned and with their history, against one UPDATE and its commit in the same PostgreSQL.

Two ways in: what devices report over the tunnel, each answered with the version and the delta after the commit; and
what people want over REST, pushed to the device's tunnel at once. Every push is counted: none may be missing.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from edgeflow_cloud.kernel import ids
from tests.load.child import Answer, Child, ChildFailed
from tests.load.profile import profiled
from tests.load.report import Figure, Floor, Promise

if TYPE_CHECKING:
    from tests.load.bench import Bench

DEVICES = 2_000
REPORTING = 200
"""So many report at once, one update of each under way."""
PACE = 200.0
"""Updates a second while latency is measured."""
AT_ONCE = 16
SECONDS = 4.0
_RUNS = 3
BODY = json.dumps({"desired": {"interval": 5}})


def measure(bench: Bench) -> list[Figure]:
    bench.say("S6: shadows")
    stack = bench.stack
    count = bench.count(DEVICES)
    reporting = min(count, REPORTING)
    reports: list[Answer] = []
    paced: list[Answer] = []
    wants: list[Answer] = []
    floor: list[Answer] = []
    report: dict[str, object] = {"do": "report", "seconds": bench.seconds(SECONDS), "devices": reporting}
    with (
        stack.serve(name="whole") as served,
        stack.generator() as generator,
        stack.ask("caller") as caller,
        stack.ask("updating", str(count)) as updating,
    ):
        generator.ask({"do": "connect", "port": served.tunnel, "count": count})
        owners = stack.organizations
        paths = [
            (
                "PUT",
                f"/api/v1/devices/{ids.encode(ids.DEVICE, device)}/shadow",
                owners[number % len(owners)].token,
                BODY,
            )
            for number, device in enumerate(stack.devices[:count])
        ]
        caller.ask({"do": "targets", "port": served.rest, "requests": paths, "wanted": '"version"'})
        generator.ask({**report, "seconds": 1.0})
        for _ in range(_RUNS):
            reports.append(_spent(generator, report, served.child))
            paced.append(generator.ask({**report, "devices": count, "rate": PACE}))
            wants.append(_want(bench, caller, generator, served.child))
            floor.append(
                updating.ask({"do": "update", "seconds": bench.seconds(SECONDS), "writers": AT_ONCE})
            )
        with profiled("S6-whole", served.child.pid, bench.seconds(SECONDS)) as profile:
            generator.ask(report)
        bench.profiles.append(profile)
    beside = [Floor("UPDATE alone", [one["rate"] for one in floor])]
    waited = [Floor("UPDATE alone", [one["p95"] for one in floor])]
    fast, soon = Promise(2_000, at_least=True), Promise(50)

    def figure(what: str, answers: list[Answer], point: str, unit: str, floors: list[Floor] | None = None,
               promised: Promise | None = None) -> Figure:  # fmt: skip
        return Figure("S6", what, [one[point] for one in answers], unit, floors or [], promised)

    return [
        figure(f"updates a second that {reporting} devices report", reports, "rate", "/s", beside, fast),
        figure("the same for a second of the cloud's processor time", reports, "per_core", "/cpu-s"),
        figure(f"an update accepted, at {PACE:g} a second, p95", paced, "p95", "ms", waited, soon),
        figure(
            f"updates a second over REST, {AT_ONCE} callers, each pushed", wants, "rate", "/s", beside, fast
        ),
        figure("an update over REST then, p95", wants, "p95", "ms", waited, soon),
    ]


def _spent(asked: Child, order: dict[str, object], server: Child) -> Answer:
    before = server.cpu()
    answer = asked.ask(order)
    key = "messages" if "messages" in answer else "calls"
    return {**answer, "per_core": answer[key] / (server.cpu() - before)}


def _want(bench: Bench, caller: Child, generator: Child, server: Child) -> Answer:
    """People change what they want; each change is told to its device. Raises ChildFailed when one was not."""
    before = generator.ask({"do": "counts"})["pushed"]
    order: dict[str, object] = {"do": "closed", "at_once": AT_ONCE, "seconds": bench.seconds(SECONDS)}
    answer = _spent(caller, order, server)
    until = time.monotonic() + 10
    while (told := generator.ask({"do": "counts"})["pushed"] - before) < answer["calls"]:
        if time.monotonic() > until:
            raise ChildFailed(f"of {answer['calls']:.0f} changes over REST only {told:.0f} were pushed")
        time.sleep(0.1)
    return answer
