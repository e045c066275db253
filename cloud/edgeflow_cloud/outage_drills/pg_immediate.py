"""R12: PostgreSQL goes, at once, and comes back: clear 503s meanwhile, tunnels stay, all is normal within 5 s."""

import asyncio
import time

from edgeflow_cloud.drills import (
    Answers,
    Drill,
    Ground,
    Layout,
    Ledger,
    Order,
    People,
    Report,
    check_commands,
    check_samples,
    open_stack,
    read_stored,
    until_ended,
)
from edgeflow_cloud.simulator import Fleet, Load, Pace

_NORMAL = 5.0
_DEAD = 2.0
_PACE = Pace(first=1.0, cap=2.0, answer=2.0)


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Load; immediate shutdown and restart; kill -9 and restart; compare."""
    layout = Layout(2, 2, 2) if order.whole else Layout(1, 1, 1)
    async with open_stack(ground, layout, report, mutant=order.mutant, mutated=["api"]) as stack:
        ledger = Ledger(ground.folder / f"ledger-{stack.database}")
        with ledger:
            identities = await stack.provision(order.devices)
            async with (
                stack.owner() as api,
                stack.fleet(identities, order, load=Load(4, 2), pace=_PACE, watch=ledger) as fleet,
            ):
                people = People(api, identities, order.dice("people"), ledger)
                people.start(reads=10, writes=3, commands=3)
                await asyncio.sleep(2.0)
                for way in ("immediate shutdown", "kill -9"):
                    await _without(ground, report, fleet, people, way)
                    if order.mutant:
                        break
                await people.stop()
                settled = await fleet.settle(20.0)
                _judge(report, fleet, people, settled)
                if not order.mutant:
                    await until_ended(stack.database_url, 60.0)
        stored = await read_stored(stack.database_url)
        witness = ledger.read()
        check_samples(report, witness, stored)
        if not order.mutant:
            check_commands(report, witness, stored)
            for line in stack.failures()[:5]:
                report.check(False, f"no handler fails: {line}")


async def _without(ground: Ground, report: Report, fleet: Fleet, people: People, way: str) -> None:
    """Two seconds without PostgreSQL, and then until nothing fails any more."""
    if way == "kill -9":
        await ground.kill(ground.database)
    else:
        await ground.stop_immediately(ground.database)
    report.step(f"PostgreSQL: {way}")
    await asyncio.sleep(_DEAD)
    seconds = await ground.restart(ground.database)
    back = time.monotonic()
    acknowledged = fleet.tally.samples_acked
    report.step(f"PostgreSQL is back, its start took {seconds:.1f} s")
    flowing = await fleet.until(lambda: fleet.tally.samples_acked > acknowledged, within=_NORMAL)
    report.fact(f"telemetry flows again after {way}", f"{time.monotonic() - back:.1f} s")
    report.check(flowing, f"telemetry flows {_NORMAL:g} s after PostgreSQL is back from {way}")
    await asyncio.sleep(max(0.0, back + _NORMAL + 1.0 - time.monotonic()))
    late = [
        moment - back for one in (people.reads, people.writes, people.commands) for moment in one.bad_times
    ]
    last = max(late, default=0.0)
    report.fact(f"last 503 after {way}", f"{max(0.0, last):.1f} s after PostgreSQL was back")
    report.check(
        last <= _NORMAL,
        f"nothing fails later than {_NORMAL:g} s after PostgreSQL is back from {way}: {last:.1f} s",
    )
    good = max(one.last_good for one in (people.reads, people.writes))
    report.check(good > back, f"REST answers again after {way}")


def _judge(report: Report, fleet: Fleet, people: People, settled: bool) -> None:
    tally = fleet.tally
    report.check(settled, f"all is acknowledged at the end: {fleet.unacknowledged} batches are not")
    report.check(tally.reconnects == 0, f"tunnels stay open: {tally.reconnects} reconnects")
    kinds: dict[str, Answers] = {"reads": people.reads, "writes": people.writes, "commands": people.commands}
    for name, answers in kinds.items():
        report.fact(name, answers.said())
        odd = {status: count for status, count in answers.statuses.items() if status >= 500 and status != 503}
        report.check(not odd, f"{name} that cannot be served say 503: {odd}, {answers.examples}")
        report.check(
            not answers.lost, f"every call of {name} is answered: {answers.lost} were not, {answers.examples}"
        )
        bare = [code for code in answers.codes if code.startswith("no code")]
        report.check(not bare, f"every refusal of {name} has a code: {bare}")


DRILL = Drill(
    name="pg-immediate",
    question="Without PostgreSQL: clear 503s, tunnels stay, and normal within 5 s of its return?",
    run=run,
    mutants={"errors-500": "the API calls everything that is away an unexplained failure"},
    seconds=1.0,
    devices=30,
)
