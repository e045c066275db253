"""What a job and a schedule are: values, listed by each subsystem's wiring."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from croniter import croniter

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context

Handler = Callable[["Context", dict[str, object]], Awaitable[None]]
"""`handler(context, payload)`: does the work, or raises. It may be run twice, so it must not mind."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A kind of work. `name` is stored with each job (`outbox.deliver`): it never changes its meaning.

    A run that takes longer than `timeout` is cancelled and counts as failed. After `attempts` runs the job is
    parked. `concurrency` bounds how many of this kind run at once in all workers (0: no bound of its own).
    """

    name: str
    handler: Handler
    attempts: int = 5
    timeout: timedelta = timedelta(minutes=5)
    concurrency: int = 0

    def delay_after(self, attempt: int) -> timedelta:
        """How long to wait after the failure of run number `attempt`: 2, 4, 8, … s to 5 min, each within ±25
        %.
        """
        seconds = min(2.0**attempt, 300.0)
        return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load, keeps no secret


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Enqueue `job` again and again: `every` so often, or by a cron expression in UTC (`"15 3 * * *"`).

    A slot missed while no worker ran is made up for once, not as often as it was missed. While the job of the
    last slot still waits or runs, the next one adds none.
    """

    name: str
    job: Job
    every: timedelta | None = None
    cron: str | None = None
    payload: dict[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        if (self.every is None) == (self.cron is None):
            raise ValueError(f"schedule {self.name}: give either every or cron")
        if self.every is not None and self.every < timedelta(seconds=1):
            raise ValueError(f"schedule {self.name}: every is at least one second")
        if self.cron is not None and not croniter.is_valid(self.cron):
            raise ValueError(f"schedule {self.name}: {self.cron!r} is no cron expression")

    @property
    def rule(self) -> str:
        """The rule as text: when it changes, the next slot is computed anew."""
        return self.cron if self.every is None else f"every {self.every.total_seconds():g} s"  # pyright: ignore[reportReturnType]

    def next_after(self, now: datetime) -> datetime:
        """The first slot after `now`."""
        if self.every is not None:
            return now + self.every
        return croniter(self.cron, now).get_next(datetime)  # pyright: ignore


@dataclass(frozen=True, slots=True)
class ParkedJob:
    """A job that was given up: what, how often it ran, when it last failed, and the last error."""

    id: int
    name: str
    payload: dict[str, object]
    attempts: int
    error: str | None
    failed_at: datetime
