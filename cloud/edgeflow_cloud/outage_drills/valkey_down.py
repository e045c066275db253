"""R12: Valkey is gone and comes back: tunnels stay, what needs it says 503, all is normal within 5 s."""

import asyncio
import time

from edgeflow_cloud.drills import Drill, Ground, Layout, Ledger, Order, Report, open_stack
from edgeflow_cloud.outage_drills.absence import Absence, judge
from edgeflow_cloud.outage_drills.scene import ledger_path, witnessed
from edgeflow_cloud.simulator import Load, Pace

_AWAY = 4.0
_PACE = Pace(first=1.0, cap=2.0, answer=2.0)


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Load; away; back; compare."""
    async with open_stack(ground, Layout(1, 1, 1), report, mutant=order.mutant, mutated=["hub"]) as stack:
        ledger = Ledger(ledger_path(ground.folder, stack))
        identities = await stack.enter(order.devices)
        async with witnessed(stack, order, identities, ledger, load=Load(4, 2), pace=_PACE) as scene:
            fleet, people = scene.fleet, scene.people
            people.start(reads=10, writes=3, commands=3)
            await asyncio.sleep(1.0)
            began = time.monotonic()
            await ground.kill(ground.valkey)
            report.step("kill -9 of Valkey")
            stored = fleet.tally.samples_acked
            await asyncio.sleep(_AWAY)
            report.check(
                fleet.tally.samples_acked > stored,
                "measurements are stored and acknowledged without Valkey",
            )
            await ground.restart(ground.valkey)
            await Absence(report, fleet, people, "Valkey", "kill -9").over(time.monotonic() - began)
            await people.stop()
            reached = await asyncio.gather(*(people.ask(one.device_id) for one in identities))
            report.check(all(reached), f"every device is reached again: {reached.count(False)} were not")
            settled = await fleet.settle(20.0)
            judge(report, fleet, people, settled)


DRILL = Drill(
    name="valkey-down",
    question="Without Valkey: tunnels stay, measurements are stored, clear 503s, and normal within 5 s of its return?",
    run=run,
    mutants={"no-renewal": "a hub says once where a device is, and never again"},
    seconds=1.0,
    devices=20,
)
