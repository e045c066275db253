"""A fleet and people at work while something is done to the cloud, and whether what was promised is there after it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeflow_cloud.drills import (
    Ledger,
    Order,
    People,
    Stack,
    check_commands,
    check_samples,
    read_stored,
    until_ended,
)
from edgeflow_cloud.simulator import Credentials, Faults, Fleet, Load, Pace

_SETTLE = 60.0
"""Seconds for the commands that are still under way to end."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who is at work. `people` do nothing until they are started."""

    identities: Sequence[Credentials]
    fleet: Fleet
    people: People


@asynccontextmanager
async def witnessed(
    stack: Stack,
    order: Order,
    identities: Sequence[Credentials],
    ledger: Ledger,
    *,
    load: Load,
    pace: Pace,
    faults: Faults | None = None,
) -> AsyncGenerator[Scene]:
    """The scene, each device of which is in; after it the ledger is held against what the database holds.

    Commands count only where nothing was broken on purpose. Raises CannotRun.
    """
    report = stack.report
    with ledger:
        async with (
            stack.owner() as api,
            stack.fleet(identities, order, load=load, pace=pace, faults=faults, watch=ledger) as fleet,
        ):
            yield Scene(identities, fleet, People(api, identities, order.dice("people"), ledger))
            if not order.mutant:
                await until_ended(stack.database_url, _SETTLE)
    stored = await read_stored(stack.database_url)
    witness = ledger.read()
    check_samples(report, witness, stored)
    if not order.mutant:
        check_commands(report, witness, stored)
        for line in stack.failures()[:5]:
            report.check(False, f"no handler fails: {line}")


def ledger_path(folder: Path, stack: Stack) -> Path:
    """Where the ledger of a stack is kept."""
    return folder / f"ledger-{stack.database}"
