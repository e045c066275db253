"""R12: Valkey may be lost. FLUSHALL, then kill -9: routes are there again within 10 s, and nothing else is missing."""

import asyncio
import time

from edgeflow_cloud.drills import Drill, Ground, Layout, Ledger, Order, Report, open_stack
from edgeflow_cloud.outage_drills.scene import ledger_path, witnessed
from edgeflow_cloud.simulator import Load, Pace

_REBUILT = 10.0
_SLACK = 1.0
"""What looking at it costs, and the renewal itself."""
_DEAD = 2.0


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Load; wipe; look; kill; look; compare."""
    mutated = ["hub"]
    async with open_stack(ground, Layout(2, 1, 1), report, mutant=order.mutant, mutated=mutated) as stack:
        ledger = Ledger(ledger_path(ground.folder, stack))
        identities = await stack.enter(order.devices)
        async with witnessed(
            stack, order, identities, ledger, load=Load(2, 2), pace=Pace(first=1.0, cap=2.0, answer=3.0)
        ) as scene:
            fleet, people = scene.fleet, scene.people
            people.start(commands=4, reads=4)
            await asyncio.sleep(2.0)
            await ground.wipe_valkey()
            report.step("FLUSHALL")
            await _until_rebuilt(ground, report, order.devices, "a wipe")
            if not order.mutant:
                await ground.kill(ground.valkey)
                report.step("kill -9 of Valkey")
                await asyncio.sleep(_DEAD)
                await ground.restart(ground.valkey)
                report.step("Valkey is back, empty")
                await _until_rebuilt(ground, report, order.devices, "a restart")
            await asyncio.sleep(0.5)
            await people.stop()
            reached = await asyncio.gather(*(people.ask(one.device_id) for one in identities))
            report.check(
                all(reached), f"every device is reached again: {len(identities) - sum(reached)} were not"
            )
            await fleet.settle(15.0)
            report.fact("commands meanwhile", people.commands.said())
            report.fact("reads meanwhile", people.reads.said())
            report.check(
                fleet.tally.reconnects == 0, f"tunnels stay open: {fleet.tally.reconnects} reconnects"
            )
            for answers in (people.commands, people.reads):
                odd = {
                    key: text
                    for key, text in answers.examples.items()
                    if key.startswith("5") and not key.startswith("503")
                }
                report.check(not odd, f"what needs Valkey says 503 and nothing worse: {odd}")


async def _until_rebuilt(ground: Ground, report: Report, devices: int, after: str) -> None:
    """Until Valkey has a route for every device."""
    began = time.monotonic()
    routes = 0
    while routes < devices and time.monotonic() - began < _REBUILT + 2 * _SLACK:
        await asyncio.sleep(0.1)
        routes = await ground.count_keys("route:*")
    seconds = time.monotonic() - began
    report.step(f"{routes} of {devices} routes {seconds:.1f} s after {after}")
    report.fact(f"routes rebuilt after {after}", f"{seconds:.1f} s")
    report.check(
        routes >= devices and seconds <= _REBUILT + _SLACK,
        f"routes are rebuilt within {_REBUILT:g} s of {after}: {routes} of {devices} after {seconds:.1f} s",
    )


DRILL = Drill(
    name="valkey-wipe",
    question="Is a wiped and a killed Valkey worth no more than seconds?",
    run=run,
    mutants={"no-renewal": "a hub says once where a device is, and never again"},
    seconds=1.0,
    devices=40,
)
