"""R1: an acknowledgement means committed. PostgreSQL, hub, worker, Valkey, API are killed (-9) in turn, under load."""

import asyncio

from edgeflow_cloud.drills import (
    Drill,
    Ground,
    Layout,
    Ledger,
    Node,
    Order,
    Report,
    Stack,
    open_stack,
    queries,
)
from edgeflow_cloud.outage_drills.scene import ledger_path, witnessed
from edgeflow_cloud.simulator import Faults, Load, Pace

_PACE = Pace(first=0.5, cap=2.0, answer=2.0, boot=0.5)
_FAULTS = Faults(loss=0.05, delay=0.3, crash=6.0)
"""Acknowledgements on their way when a device loses power, or lost in it: what makes devices send again."""
_SETTLE = 40.0


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Load, kills, settling, the comparison."""
    layout = Layout(2, 2, 2) if order.whole else Layout(1, 1, 1)
    sloppy = order.mutant == "synchronous-commit-off"
    hub_mutant = "" if sloppy else order.mutant
    async with open_stack(ground, layout, report, mutant=hub_mutant, mutated=["hub"]) as stack:
        if sloppy:
            await _be_sloppy(stack)
        ledger = Ledger(ledger_path(ground.folder, stack))
        identities = await stack.provision(order.devices)
        async with witnessed(
            stack, order, identities, ledger, load=Load(10, 5), pace=_PACE, faults=_FAULTS
        ) as scene:
            fleet, people = scene.fleet, scene.people
            if not order.mutant:
                people.start(commands=4)
            kills = await _kill_in_turn(stack, order, report)
            await people.stop()
            for device in fleet.devices:
                device.recover()
            settled = await fleet.settle(_SETTLE)
            report.step(fleet.tally.line())
            report.fact("kills", kills)
            report.fact("reconnects", fleet.tally.reconnects)
            report.fact("crashes of devices", fleet.tally.crashes)
            report.check(
                settled,
                f"all is acknowledged {_SETTLE:g} s after the last kill: "
                f"{fleet.unacknowledged} batches were not",
            )
            report.check(fleet.tally.samples_dropped == 0, "no device runs out of room")


async def _kill_in_turn(stack: Stack, order: Order, report: Report) -> int:
    """Every kind in turn, at random moments, until the time is up; each victim is started again at once."""
    dice = order.dice("kills")
    loop = asyncio.get_running_loop()
    end = loop.time() + order.seconds
    kills = 0
    await asyncio.sleep(1.0)
    while loop.time() < end:
        victims = ["database", "hub"] if order.mutant else ["database", "hub", "worker", "valkey", "api"]
        victim = victims[kills % len(victims)]
        await asyncio.sleep(dice.uniform(0.3, 1.5))
        if victim == "database":
            ground = stack.ground
            await ground.kill(ground.database)
            await asyncio.sleep(dice.uniform(0.0, 0.5))
            seconds = await ground.restart(ground.database)
        elif victim == "valkey":
            await stack.ground.kill(stack.ground.valkey)
            await asyncio.sleep(dice.uniform(0.0, 0.5))
            seconds = await stack.ground.restart(stack.ground.valkey)
        else:
            node: Node = dice.choice(stack.of(victim))
            victim = node.name
            node.kill()
            await asyncio.sleep(dice.uniform(0.0, 0.5))
            seconds = await node.start()
        kills += 1
        report.step(f"kill -9 of {victim}, ready again after {seconds:.1f} s")
    return kills


async def _be_sloppy(stack: Stack) -> None:
    """PostgreSQL answers before its log is on disk, and takes its time with it."""
    ground = stack.ground
    await ground.administer(f"alter database {stack.database} set synchronous_commit = off")
    await ground.administer("alter system set wal_writer_delay = '10s'")
    await ground.administer("alter system set wal_writer_flush_after = '1GB'")
    await ground.administer(queries.RELOAD)
    for node in stack.of("hub"):  # its connections were opened before
        node.kill()
        await node.start()


DRILL = Drill(
    name="ack",
    question="Does an acknowledgement mean committed, once, when any process or part is killed?",
    run=run,
    mutants={
        "synchronous-commit-off": "PostgreSQL answers before its log is on disk",
        "ack-before-commit": "the hub acknowledges before the commit",
        "no-cursor": "the hub forgets what it has stored",
    },
    seconds=16.0,
    devices=20,
)
