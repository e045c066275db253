"""Why is a device as it is: findings, each by the subsystem that knows. Their shape, and who is asked."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from edgeflow_cloud.devices import Device
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.principal import Principal


class State(StrEnum):
    """Whether there is something to do: nothing, nothing but wait, or something by somebody."""

    OK = "ok"
    WAITING = "waiting"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is so: `topic` is a noun (`shadow`), `detail` says what to do, `code` never changes."""

    topic: str
    state: State
    title: str
    detail: str
    code: str
    since: datetime | None = None


Finder = Callable[[Transaction, Principal, Device, datetime], Awaitable[Sequence[Finding]]]
"""`find(tx, principal, device, now)`: what one subsystem has to say of the device."""


class Finders:
    """Who is asked. `app` fills it once with what the subsystems offer."""

    def __init__(self) -> None:
        self._finders: list[Finder] = []

    def learn(self, finders: Iterable[object]) -> None:
        """Take the finders of a subsystem. Raises TypeError for what cannot be called."""
        for finder in finders:
            if not callable(finder):
                raise TypeError(f"{finder!r} is not a Finder")
            self._finders.append(cast("Finder", finder))

    def all(self) -> list[Finder]:
        """All of them, low to high."""
        return list(self._finders)


FINDERS = Finders()
