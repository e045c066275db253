"""R12: PostgreSQL hangs (SIGSTOP) and goes on: 503 in bounded time, tunnels stay, nothing is acknowledged unstored."""

import asyncio
import time

from edgeflow_cloud.drills import Drill, Ground, Layout, Ledger, Order, Report, open_stack
from edgeflow_cloud.outage_drills.absence import Absence, judge
from edgeflow_cloud.outage_drills.scene import ledger_path, witnessed
from edgeflow_cloud.simulator import Load, Pace

_HANGS = 8.0
_BOUND = 25.0
"""Seconds in which every call is answered: a statement's own deadline and the wait for a connection."""
_PACE = Pace(first=1.0, cap=2.0, answer=2.0)


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Load; away; back; compare."""
    async with open_stack(ground, Layout(1, 1, 1), report, mutant=order.mutant, mutated=["api"]) as stack:
        ledger = Ledger(ledger_path(ground.folder, stack))
        identities = await stack.enter(order.devices)
        async with witnessed(stack, order, identities, ledger, load=Load(4, 2), pace=_PACE) as scene:
            fleet, people = scene.fleet, scene.people
            people.start(reads=10, writes=3, commands=3)
            await asyncio.sleep(1.0)
            began = time.monotonic()
            ground.pause(ground.database)
            try:
                report.step("SIGSTOP of PostgreSQL, all of it")
                await asyncio.sleep(1.0)  # what was committed is acknowledged by now
                acknowledged = fleet.tally.samples_acked
                await asyncio.sleep(_HANGS - 1.0)
                more = fleet.tally.samples_acked - acknowledged
            finally:
                ground.resume(ground.database)
            report.check(more == 0, f"nothing is acknowledged that cannot be stored: {more} samples were")
            await Absence(report, fleet, people, "PostgreSQL", "SIGSTOP").over(time.monotonic() - began)
            refused = people.reads.statuses[503] + people.reads.statuses[500]
            report.check(refused > 0, "calls are refused while it hangs, and do not wait for it all the time")
            slowest = max(one.latencies.most for one in (people.reads, people.writes))
            report.fact("slowest answer", f"{slowest:.1f} s")
            report.check(slowest <= _BOUND, f"every call is answered within {_BOUND:g} s: {slowest:.1f} s")
            await people.stop()
            settled = await fleet.settle(20.0)
            judge(report, fleet, people, settled)


DRILL = Drill(
    name="pg-hang",
    question="While PostgreSQL hangs: 503 in bounded time, tunnels stay, nothing acknowledged that is not stored?",
    run=run,
    mutants={
        "errors-500": "the API calls everything that is away an unexplained failure",
    },
    seconds=1.0,
    devices=20,
)
