"""R12: PostgreSQL goes, at once, and comes back: clear 503s meanwhile, tunnels stay, all is normal within 5 s."""

import asyncio

from edgeflow_cloud.drills import Drill, Ground, Layout, Ledger, Order, People, Report, open_stack
from edgeflow_cloud.outage_drills.absence import Absence, judge
from edgeflow_cloud.outage_drills.scene import ledger_path, witnessed
from edgeflow_cloud.simulator import Fleet, Load, Pace

_DEAD = 2.0
_PACE = Pace(first=1.0, cap=2.0, answer=2.0)


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Load; immediate shutdown and restart; kill -9 and restart; compare."""
    layout = Layout(2, 2, 2) if order.whole else Layout(1, 1, 1)
    async with open_stack(ground, layout, report, mutant=order.mutant, mutated=["api"]) as stack:
        ledger = Ledger(ledger_path(ground.folder, stack))
        identities = await stack.enter(order.devices)
        async with witnessed(stack, order, identities, ledger, load=Load(4, 2), pace=_PACE) as scene:
            fleet, people = scene.fleet, scene.people
            people.start(reads=10, writes=3, commands=3)
            await asyncio.sleep(2.0)
            for way in ("immediate shutdown", "kill -9"):
                await _without(ground, report, fleet, people, way)
                if order.mutant:
                    break
            await people.stop()
            settled = await fleet.settle(20.0)
            judge(report, fleet, people, settled)


async def _without(ground: Ground, report: Report, fleet: Fleet, people: People, way: str) -> None:
    """Two seconds without PostgreSQL, and then until nothing fails any more."""
    if way == "kill -9":
        await ground.kill(ground.database)
    else:
        await ground.stop_immediately(ground.database)
    report.step(f"PostgreSQL: {way}")
    await asyncio.sleep(_DEAD)
    seconds = await ground.restart(ground.database)
    await Absence(report, fleet, people, "PostgreSQL", way).over(seconds)


DRILL = Drill(
    name="pg-immediate",
    question="Without PostgreSQL: clear 503s, tunnels stay, and normal within 5 s of its return?",
    run=run,
    mutants={"errors-500": "the API calls everything that is away an unexplained failure"},
    seconds=1.0,
    devices=30,
)
