"""When a simulated device tries again: the real agent's full jitter, and the field client's fixed steps. Pure."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Pace:
    """The tempo of a device, in seconds. The defaults are the real agent's; tests and drills hurry."""

    first: float = 10.0
    """The first reconnect comes after 0 to this."""
    cap: float = 60.0
    slow: float = 300.0
    """The longest wait after a refusal that only a person can lift."""
    stable: float = 30.0
    """A connection that lived this long starts the count anew."""
    handshake: float = 10.0
    pong: float = 10.0
    """How long after a ping anything must have come."""
    answer: float = 30.0
    """How long an acknowledgement may take before the batches are sent again."""
    boot: float = 2.0
    """After a crash the device is back at its line after 0 to this."""
    heartbeat: float | None = None
    """Sooner than the cloud asks for; None: as it asks."""
    jitter: bool = True
    """False: every wait is its longest. The mutant that shows what jitter is for."""
    field_reconnects: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0, 25.0)
    """The field client's waits; then it gives up."""
    field_poll: float = 300.0
    """How often a field client reads its shadow, once for every connect it ever made."""


class Backoff:
    """The n-th wait is uniform in 0 to min(cap, first * 2^n)."""

    __slots__ = ("_dice", "_pace", "failures")

    def __init__(self, pace: Pace, dice: Random) -> None:
        self._pace = pace
        self._dice = dice
        self.failures = 0

    def next(self) -> float:
        """Seconds until the next attempt; each call counts as one failure."""
        return self._spread(0.0, min(self._pace.cap, self._doubled(self._pace.first)))

    def next_after(self, retry_after: float) -> float:
        """At least what the cloud asked for, and up to a quarter or a second more."""
        least = min(max(retry_after, 0.0), 3600.0)
        self.failures += 1
        return least + self._spread_only(0.0, max(1.0, least / 4))

    def next_slow(self) -> float:
        """After a refusal that time does not lift."""
        ceiling = min(self._pace.slow, self._doubled(3 * self._pace.first))
        return self._spread(ceiling / 2, ceiling)

    def reset(self) -> None:
        """The last connection was good."""
        self.failures = 0

    def _doubled(self, seconds: float) -> float:
        return seconds * 2.0 ** min(self.failures, 32)

    def _spread(self, least: float, most: float) -> float:
        self.failures += 1
        return self._spread_only(least, most)

    def _spread_only(self, least: float, most: float) -> float:
        return self._dice.uniform(least, most) if self._pace.jitter else most
