"""Runs drills one after the other on one ground, and never lets one end without a verdict."""

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence

from edgeflow_cloud.drills.frame import CannotRun, Drill, Order, Outcome, Report, Verdict
from edgeflow_cloud.drills.ground import Ground, open_ground

_LIMIT = 240.0
"""Seconds beside its own that a drill may take; then it could not run."""


async def run_drill(ground: Ground, drill: Drill, order: Order, say: Callable[[str], None]) -> Verdict:
    """One drill, or one of its mutants. Never raises what the drill raises: that is a verdict too."""
    began = time.monotonic()
    report = Report(say, order.logs)
    reason, outcome = "", Outcome.COULD_NOT_RUN
    try:
        async with asyncio.timeout(order.seconds + _LIMIT):
            await drill.run(ground, order, report)
        outcome = Outcome.FAILED if report.broken else Outcome.PASSED
    except CannotRun as error:
        reason = str(error)
    except TimeoutError:
        reason = f"It did not end within {order.seconds + _LIMIT:.0f} s."
    except Exception as error:
        reason = f"{error!r}\n{traceback.format_exc(limit=-6)}"
    finally:
        await _mend(ground)
    seconds = time.monotonic() - began
    return Verdict(drill.name, order, outcome, seconds, report.facts, report.broken, reason)


async def run_drills(
    orders: Sequence[tuple[Drill, Order]], say: Callable[[str], None], told: Callable[[Verdict], None]
) -> list[Verdict]:
    """Each in turn on one ground; `told` hears each verdict as it comes."""
    verdicts: list[Verdict] = []
    try:
        async with open_ground() as ground:
            for drill, order in orders:
                say(f"{drill.name}{f' with mutant {order.mutant}' if order.mutant else ''}: {drill.question}")
                verdicts.append(await run_drill(ground, drill, order, say))
                told(verdicts[-1])
    except CannotRun as error:
        for drill, order in orders[len(verdicts) :]:
            verdicts.append(Verdict(drill.name, order, Outcome.COULD_NOT_RUN, 0.0, {}, [], str(error)))
            told(verdicts[-1])
    return verdicts


async def _mend(ground: Ground) -> None:
    """The next drill finds the parts as the first one did."""
    for part in (ground.database, ground.valkey):
        if part.child is None or not part.child.alive():
            await ground.restart(part)
    await ground.calm()
