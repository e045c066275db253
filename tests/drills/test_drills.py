"""Every drill passes, and each of its mutants turns it red: a drill that cannot see proves nothing.

All run on one ground, one after the other; under xdist they stay on one worker (conftest.py of the root).
"""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from edgeflow_cloud.app.drilling import DRILLS
from edgeflow_cloud.drills import Drill, Ground, Order, Outcome, Verdict, open_ground, run_drill

SEED = 20_260
RED_SECONDS = 7.0
"""A mutant is seen soon, or not at all."""

QUIET = {"timing", "flood-tenant"}
"""flood-tenant: a ratio of latencies; on a busy machine its mutant is not red every time.
timing: compares medians to a fifth of a millisecond: beside other tests it would measure those, and so would its
mutants.
`edgeflow-cloud drill timing` asks it on a quiet machine."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
async def ground() -> AsyncIterator[Ground]:
    async with open_ground() as ground:
        yield ground


def order(drill: Drill, mutant: str = "") -> Order:
    seconds = min(drill.seconds, RED_SECONDS) if mutant else drill.seconds
    return Order(SEED, seconds, drill.devices, mutant)


def said(verdict: Verdict) -> str:
    return "\n".join([verdict.sentence, verdict.reason, *verdict.broken, str(dict(verdict.facts))])


@pytest.mark.parametrize("name", [name for name in DRILLS if name not in QUIET])
async def test_it_passes(ground: Ground, name: str) -> None:
    verdict = await run_drill(ground, DRILLS[name], order(DRILLS[name]), print)
    assert verdict.outcome is Outcome.PASSED, said(verdict)


@pytest.mark.parametrize(
    ("name", "mutant"),
    [(name, mutant) for name, drill in DRILLS.items() if name not in QUIET for mutant in drill.mutants],
)
async def test_a_mutant_is_red(ground: Ground, name: str, mutant: str) -> None:
    drill = DRILLS[name]
    verdict = await run_drill(ground, drill, order(drill, mutant), print)
    if verdict.outcome is Outcome.PASSED and name == "ack":
        # Which acknowledgements are lost is a matter of milliseconds: it may take one more kill.
        verdict = await run_drill(
            ground, drill, replace(order(drill, mutant), seed=SEED + 1, seconds=14.0), print
        )
    assert verdict.outcome is Outcome.FAILED, said(verdict)
