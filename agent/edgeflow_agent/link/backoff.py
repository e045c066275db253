"""When to try again. Pure, apart from the dice, which are given."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Pace:
    """The tempo of the link, in seconds. The defaults are the product's; tests hurry."""

    first: float = 10.0
    """The first reconnect comes after 0 to this."""
    cap: float = 60.0
    """No reconnect waits longer than this, refusals apart."""
    slow: float = 300.0
    """After a refusal that only a person can lift, the longest wait."""
    stable: float = 30.0
    """A connection that lived this long starts the count anew."""
    settle: float = 1.0
    """A connection shorter than this was none: its end is a failure, even if the cloud asked for it."""
    handshake: float = 10.0
    pong: float = 10.0
    """How long after a ping anything must have come."""
    closing: float = 3.0
    resync: float = 300.0
    """How often the shadow is compared with the cloud's."""
    answer: float = 30.0
    """How long an acknowledgement may take before the frame is sent again."""


class Backoff:
    """Full jitter: the n-th wait is uniform in 0 to min(cap, first * 2^n). A herd of devices spreads out."""

    def __init__(self, pace: Pace, dice: Random) -> None:
        self._pace = pace
        self._dice = dice
        self.failures = 0

    def next(self) -> float:
        """Seconds to wait before the next attempt; each call counts as one failure."""
        ceiling = min(self._pace.cap, self._pace.first * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return self._dice.uniform(0.0, ceiling)

    def next_after(self, retry_after: float) -> float:
        """At least `retry_after` seconds (at most an hour is believed), and up to a quarter or 1 s more, for
        spread.
        """
        self.failures += 1
        least = min(max(retry_after, 0.0), 3600.0)
        return least + self._dice.uniform(0.0, max(1.0, least / 4))

    def next_slow(self) -> float:
        """After a refusal that time does not lift: half to whole of a wait that doubles up to `slow`."""
        ceiling = min(self._pace.slow, 3 * self._pace.first * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return self._dice.uniform(ceiling / 2, ceiling)

    def reset(self) -> None:
        """The last connection was good."""
        self.failures = 0
