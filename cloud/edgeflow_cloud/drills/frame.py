"""What a drill is, and what it says at its end: passed, failed, or could not run, which is never a pass."""

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeflow_cloud.drills.ground import Ground


class Outcome(IntEnum):
    """Also the exit code."""

    PASSED = 0
    FAILED = 1
    COULD_NOT_RUN = 2


class CannotRun(Exception):
    """The drill did not get to its question: nothing is proven. The text says why."""


@dataclass(slots=True)
class Report:
    """What a drill found. `check` collects promises that were broken; one of them makes it red."""

    say: Callable[[str], None]
    logs: Path | None = None
    """Where the logs of the cloud's processes are left; None: they go with everything else."""
    facts: dict[str, object] = field(default_factory=dict[str, object])
    broken: list[str] = field(default_factory=list[str])
    began: float = field(default_factory=time.monotonic)

    def step(self, text: str) -> None:
        """Something happens: told at once, with the seconds since the beginning."""
        self.say(f"{time.monotonic() - self.began:6.1f} s  {text}")

    def fact(self, name: str, value: object) -> None:
        """A figure for the summary."""
        self.facts[name] = value

    def check(self, kept: bool, promise: str) -> None:
        """`promise` says what must be so, and what was found."""
        if not kept:
            self.broken.append(promise)
            self.step(f"BROKEN: {promise}")


@dataclass(frozen=True, slots=True)
class Order:
    """How a drill is to run. `seconds` and `devices` are its size; `mutant` what is broken on purpose, or empty.

    `whole` asks for two processes of every role; else as few as the question needs.
    """

    seed: int
    seconds: float
    devices: int
    mutant: str = ""
    whole: bool = False
    logs: Path | None = None

    def dice(self, purpose: str) -> random.Random:
        """Dice of the seed, one set for each purpose, so that one use more does not change another."""
        return random.Random(f"{self.seed}/{purpose}")  # noqa: S311 - repeatable chance is the point


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill. `mutants` by name, each with what it breaks; every one of them must turn the drill red."""

    name: str
    question: str
    run: Callable[["Ground", Order, Report], Awaitable[None]]
    mutants: Mapping[str, str]
    seconds: float
    """How long the fault phase lasts when nobody says."""
    devices: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is printed last."""

    drill: str
    order: Order
    outcome: Outcome
    seconds: float
    facts: Mapping[str, object]
    broken: Sequence[str]
    reason: str = ""

    @property
    def sentence(self) -> str:
        """One line."""
        mutant = f" with mutant {self.order.mutant}" if self.order.mutant else ""
        said = {
            Outcome.PASSED: "PASSED",
            Outcome.FAILED: f"FAILED ({len(self.broken)} broken)",
            Outcome.COULD_NOT_RUN: f"COULD NOT RUN: {self.reason}",
        }[self.outcome]
        return f"{self.drill}{mutant}: {said}, seed {self.order.seed}, {self.seconds:.0f} s"
