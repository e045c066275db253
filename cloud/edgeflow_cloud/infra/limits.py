"""Rate limits: GCRA on Valkey, shared by all processes; a local bucket while Valkey is away.

Promises: `take` never raises for a fault of Valkey and never takes longer than a quarter of a second. Without
Valkey each process counts by itself, so that the limit is then as many times higher as there are processes: a
lenient limit is better than a closed door.
"""

import asyncio
import math
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import structlog
from redis.exceptions import RedisError
from throttled.asyncio import MemoryStore, RateLimiterRegistry, RateLimiterType, RedisStore
from throttled.asyncio.rate_limiter import per_duration
from throttled.asyncio.store.redis import RedisStoreBackend
from throttled.exceptions import StoreUnavailableError

from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.kernel.errors import TooMany

if TYPE_CHECKING:
    from throttled.asyncio.rate_limiter import BaseRateLimiter
    from throttled.types import AsyncRedisClientP

log = structlog.get_logger("edgeflow.limits")

_DEADLINE = 0.25  # seconds that one question to Valkey may take
_PAUSE = 2.0  # seconds for which Valkey is not asked again after a fault
_LEASED = 1.0  # seconds for which calls that were taken together may be handed out
_LOCAL_KEYS = 20_000  # local buckets kept; the least used go first


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` calls in `seconds` (whole, at least 1), of which up to `burst` (default: all) at once.

    `name` separates the counts of different limits on one key: `login`, `api`. `lease` is how many calls a process
    may take at once for somebody who is fast, and hand out from memory within a second; 1 asks Valkey each time.
    """

    name: str
    count: int
    seconds: int
    burst: int | None = None
    lease: int = 1


@dataclass(frozen=True, slots=True)
class Allowance:
    """What `take` found. `retry_after` and `reset_after` are seconds; `retry_after` is 0 when allowed."""

    allowed: bool
    limit: int
    remaining: int
    reset_after: float
    retry_after: float

    def headers(self) -> dict[str, str]:
        """`RateLimit-Limit`, `-Remaining`, `-Reset` and, on a refusal, `Retry-After`: whole seconds, rounded
        up.
        """
        values = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(self.reset_after)),
        }
        if not self.allowed:
            values["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        return values

    def check(self, detail: str) -> None:
        """Raise TooMany with the sentence `detail` unless the call is allowed."""
        if not self.allowed:
            problem = TooMany(detail, retry_after=self.retry_after)
            problem.headers.update(self.headers())
            raise problem


@dataclass(slots=True)
class _Lease:
    """Calls that were counted already, `size` at first; the next lease is twice that when this was too short."""

    size: int
    left: int
    until: float
    state: Allowance

    def spend(self) -> Allowance:
        self.left -= 1
        return replace(self.state, remaining=self.state.remaining + self.left)


class Limits:
    """One per process. `await limits.take(Limit("login", 10, 60), ip)`."""

    def __init__(self, bus: Bus) -> None:
        self._shared = _store_on(bus)
        self._local = MemoryStore(options={"MAX_SIZE": _LOCAL_KEYS})
        self._limiters: dict[tuple[Limit, bool], BaseRateLimiter] = {}
        self._leases: OrderedDict[tuple[str, str], _Lease] = OrderedDict()
        self._away_until = 0.0

    async def take(self, limit: Limit, key: str, *, cost: int = 1) -> Allowance:
        """Count `cost` calls of `key` against `limit`; a refused call costs nothing. `cost` 0 only
        looks whether one more would be allowed.
        """
        if limit.lease > 1 and cost == 1:
            return await self._take_leased(limit, key)
        return await self._take(limit, key, cost)

    async def _take_leased(self, limit: Limit, key: str) -> Allowance:
        """As `take`, for few journeys to Valkey: who asks again within the second gets twice as many at once."""
        now = time.monotonic()
        held = self._leases.get((limit.name, key))
        fresh = held is not None and now < held.until
        if held is not None and fresh and held.left > 0:
            return held.spend()
        size = max(1, min(limit.lease, held.size * 2)) if held is not None and fresh else 1
        state = await self._take(limit, key, size)
        if not state.allowed and size > 1:
            size, state = 1, await self._take(limit, key, 1)
        size = size if state.allowed else 0  # who is refused is asked of by ones again
        self._leases[limit.name, key] = _Lease(size, size - 1, now + _LEASED, state)
        self._leases.move_to_end((limit.name, key))
        while len(self._leases) > _LOCAL_KEYS:
            self._leases.popitem(last=False)
        return replace(state, remaining=state.remaining + size - 1) if state.allowed else state

    async def _take(self, limit: Limit, key: str, cost: int) -> Allowance:
        if time.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(_DEADLINE):
                    return await self._ask(limit, key, cost, shared=True)
            except (StoreUnavailableError, RedisError, OSError, TimeoutError) as error:
                self._away_until = time.monotonic() + _PAUSE
                log.warning("limits.local", error=str(error) or type(error).__name__, seconds=_PAUSE)
        return await self._ask(limit, key, cost, shared=False)

    async def _ask(self, limit: Limit, key: str, cost: int, *, shared: bool) -> Allowance:
        limiter = self._limiters.get((limit, shared))
        if limiter is None:
            limiter = self._limiters[(limit, shared)] = self._make(limit, shared)
        if cost == 0:
            state = await limiter.peek(key)
            refused = state.remaining < 1
        else:
            result = await limiter.limit(key, cost)
            state, refused = result.state, result.limited
        return Allowance(
            allowed=not refused,
            limit=limit.count,
            remaining=state.remaining,
            reset_after=state.reset_after,
            retry_after=state.retry_after if refused else 0.0,
        )

    def _make(self, limit: Limit, shared: bool) -> "BaseRateLimiter":
        quota = per_duration(timedelta(seconds=limit.seconds), limit.count, limit.burst)
        gcra = RateLimiterRegistry.get(RateLimiterType.GCRA.value)
        return gcra(quota, self._shared if shared else self._local, key_prefix=f"limit:{limit.name}")


class _Backend(RedisStoreBackend):
    """throttled's Valkey backend on the client that the bus already holds."""

    client: "AsyncRedisClientP | None" = None

    def get_client(self) -> "AsyncRedisClientP":
        if self.client is None:
            raise RuntimeError("Limits is made from a Bus")
        return self.client


class _Store(RedisStore):
    _BACKEND_CLASS = _Backend


def _store_on(bus: Bus) -> RedisStore:
    store = _Store()
    cast(_Backend, store._backend).client = cast("AsyncRedisClientP", cast(object, bus.client))  # pyright: ignore[reportPrivateUsage]
    return store
