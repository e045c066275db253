"""The ledger against the database: lost, twice, never made; commands run twice, or without an end."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

from edgeflow_cloud.drills import queries
from edgeflow_cloud.drills.frame import CannotRun, Report
from edgeflow_cloud.drills.ledger import Key, Witness, microseconds
from edgeflow_cloud.infra.db import PgConnection
from edgeflow_cloud.kernel import ids

_FINAL = frozenset({"done", "failed", "expired", "cancelled", "unknown"})


@dataclass(slots=True)
class Stored:
    """What the database holds."""

    samples: Mapping[Key, int]
    commands: Mapping[str, str]
    """Command id -> status."""


async def read_stored(url: str) -> Stored:
    """Look. Raises CannotRun when the database does not answer."""
    try:
        connection: PgConnection = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        raise CannotRun(f"The database cannot be asked what it holds: {error}") from error
    try:
        samples = {
            (ids.encode(ids.DEVICE, device), microseconds(time)): copies
            for device, time, copies in await queries.list_samples(connection)
        }
        commands = {
            ids.encode(ids.COMMAND, command): status
            for _, command, status in await queries.list_commands(connection)
        }
    finally:
        await connection.close(timeout=5)
    return Stored(samples, commands)


@dataclass(slots=True)
class Judgement:
    """Counts of what must be 0, with a few examples."""

    lost: list[Key] = field(default_factory=list[Key])
    twice: list[Key] = field(default_factory=list[Key])
    strange: list[Key] = field(default_factory=list[Key])


def judge_samples(witness: Witness, stored: Mapping[Key, int]) -> Judgement:
    """Acknowledged but not there; there more than once; there but never made."""
    return Judgement(
        lost=[key for key, acknowledged in witness.made.items() if acknowledged and key not in stored],
        twice=[key for key, copies in stored.items() if copies > 1],
        strange=[key for key in stored if key not in witness.made],
    )


def check_samples(report: Report, witness: Witness, stored: Stored) -> None:
    """An acknowledgement means committed, once."""
    found = judge_samples(witness, stored.samples)
    report.fact("samples made", len(witness.made))
    report.fact("samples acknowledged", witness.acknowledged)
    report.fact("lost", len(found.lost))
    report.fact("stored twice", len(found.twice))
    total = f"of {witness.acknowledged:,} acknowledged samples"
    report.check(not found.lost, f"nothing acknowledged is lost: {len(found.lost):,} {total} are not stored")
    report.check(not found.twice, f"nothing is stored twice: {len(found.twice):,} samples are")
    report.check(not found.strange, f"nothing is stored that nobody made: {len(found.strange):,} samples are")
    report.check(not witness.refused, f"no batch is refused: {len(witness.refused)} were")


def check_commands(report: Report, witness: Witness, stored: Stored) -> None:
    """What was accepted is there, has one end, and ran at most once; what is done did run."""
    states = {command: stored.commands.get(command, "") for command in witness.orders}
    runs = {command: witness.runs[device, command] for command, device in witness.orders.items()}
    missing = [command for command, status in states.items() if not status]
    unfinished = [command for command, status in states.items() if status and status not in _FINAL]
    idle = [command for command, status in states.items() if status == "done" and runs[command] == 0]
    many = [key for key, count in witness.runs.items() if count > 1]
    report.fact("commands accepted", len(states))
    report.fact("commands done", sum(status == "done" for status in states.values()))
    report.fact("commands unknown", sum(status == "unknown" for status in states.values()))
    report.check(not missing, f"an accepted command is kept: {len(missing)} are gone")
    report.check(
        not unfinished, f"every command ends: {len(unfinished)} of {len(states)} did not, {unfinished[:3]}"
    )
    report.check(not idle, f"what is done did run: {len(idle)} did not")
    report.check(not many, f"a command runs at most once: {len(many)} ran more often")


async def until_ended(url: str, within: float) -> None:
    """Wait, at most so many seconds, until no command is on its way: those that were when their hub died are given up
    after their time."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        stored = await read_stored(url)
        if all(status in _FINAL for status in stored.commands.values()):
            return
        await asyncio.sleep(0.5)
