"""How much one device may send: a leaky bucket in one number, so that a connection carries no more than
that.
"""

from __future__ import annotations


def take(due: float, now: float, cost: float, rate: float, burst: float) -> tuple[float, float]:
    """Count `cost` units at time `now` against `rate` a second with `burst` at once (GCRA).

    `due` is what the last call answered (0.0 at first), `now` is in seconds. Answers `(due, over)`: `over`
    is how many seconds too early this came, 0.0 when it fits; what does not fit is not counted.
    """
    start = due if due > now else now
    after = start + cost / rate
    over = after - now - burst / rate
    if over > 0.0:
        return due, over
    return after, 0.0


class Failures:
    """Refused attempts by key, forgotten as time passes. `limit` at once, then one more every `seconds`.

    Holds at most `size` keys: beyond that the oldest go first, so that a flood of names costs no memory.
    """

    def __init__(self, limit: int, seconds: float, size: int = 20_000) -> None:
        self._limit = limit
        self._seconds = seconds
        self._size = size
        self._due: dict[tuple[str, str], float] = {}

    def wait(self, key: tuple[str, str], now: float) -> float:
        """How many seconds `key` must wait before it may try again; 0.0 when it may."""
        due = self._due.get(key)
        if due is None:
            return 0.0
        over = due - now - (self._limit - 1) * self._seconds
        return over if over > 0.0 else 0.0

    def count(self, key: tuple[str, str], now: float) -> None:
        """Note one refused attempt."""
        due = max(self._due.pop(key, 0.0), now) + self._seconds
        self._due[key] = due
        if len(self._due) > self._size:
            del self._due[next(iter(self._due))]
