"""The Valkey client: publish, subscribe, and keys that live for a while."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TypeVar, cast

import structlog
from redis import asyncio as valkey
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from edgeflow_cloud.infra.bus.fanout import Fanout
from edgeflow_cloud.infra.bus.subscription import Subscription
from edgeflow_cloud.kernel.errors import Unavailable

T = TypeVar("T")
log = structlog.get_logger("edgeflow.bus")


class BusAway(Unavailable):
    """Valkey did not answer within the deadline. Nothing that may not be lost depends on it."""

    code = "bus_unavailable"


class Bus:
    """`url` is `redis://host:port/0`, `rediss://…`, `valkey://…` or `unix:///path/to/socket`; it may carry a
    password.

    `start()` opens the subscription connection (and does not fail when Valkey is away); `close()` ends
    everything.
    """

    def __init__(self, url: str, *, deadline: float = 2.0, connections: int = 64) -> None:
        self._deadline = deadline
        pool = valkey.BlockingConnectionPool.from_url(
            _redis_scheme(url),
            max_connections=connections,
            timeout=deadline,
            socket_connect_timeout=deadline,
            socket_timeout=deadline,
            retry=Retry(NoBackoff(), 0),
        )
        self.client = valkey.Redis(connection_pool=pool)
        self._fanout = Fanout(self.client, deadline=deadline)

    async def start(self) -> None:
        """Start listening. Safe when Valkey is away: it is tried again until it is there."""
        await self._fanout.start()

    async def close(self) -> None:
        """End the subscriptions and close every connection."""
        await self._fanout.close()
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(self._deadline):
                await self.client.aclose()
                await self.client.connection_pool.disconnect()

    async def ping(self) -> None:
        """Raise BusAway unless Valkey answers: for `/ready`."""
        await self._within(self.client.ping())

    async def publish(self, channel: str, data: bytes) -> int:
        """Send `data` to who listens on `channel` now; answers how many connections heard it."""
        return cast(int, await self._within(self.client.publish(channel, data)))

    async def publish_quietly(self, channel: str, data: bytes) -> bool:
        """Publish where a loss is no harm (live hints): False instead of an error when Valkey is away."""
        try:
            await self.publish(channel, data)
        except BusAway:
            return False
        return True

    async def listeners(self, *channels: str) -> dict[str, int]:
        """How many connections listen on each channel: ask before making what nobody wants."""
        if not channels:
            return {}
        pairs = cast("list[tuple[bytes, int]]", await self._within(self.client.pubsub_numsub(*channels)))
        return {name.decode(): count for name, count in pairs}

    async def channels(self, prefix: str) -> set[str]:
        """The channels with this prefix that somebody listens on, on any process."""
        found = cast("list[bytes]", await self._within(self.client.pubsub_channels(f"{prefix}*")))
        return {name.decode() for name in found}

    def subscribe(
        self, *channels: str, limit: int = 1000, on_gap: Callable[[], None] | None = None
    ) -> AbstractAsyncContextManager[Subscription]:
        """`async with bus.subscribe("live:…") as subscription: async for message in subscription: …`

        `limit` bounds the waiting messages (see Subscription for what full means).
        """
        return self._subscribed(channels, limit, on_gap)

    @asynccontextmanager
    async def _subscribed(
        self, channels: tuple[str, ...], limit: int, on_gap: Callable[[], None] | None
    ) -> AsyncGenerator[Subscription]:
        subscription = Subscription(self._fanout, limit=limit, on_gap=on_gap)
        try:
            for channel in channels:
                await subscription.add(channel)
            yield subscription
        finally:
            await subscription.close()

    async def get(self, key: str) -> bytes | None:
        """The value of `key`, or None."""
        return cast("bytes | None", await self._within(self.client.get(key)))

    async def get_many(self, *keys: str) -> list[bytes | None]:
        """The values of `keys`, in their order, in one round trip."""
        if not keys:
            return []
        return cast("list[bytes | None]", await self._within(self.client.mget(keys)))

    async def set(self, key: str, value: bytes, *, ttl: float) -> None:
        """Keep `value` for `ttl` seconds. Every key has an end: nothing here lives for ever."""
        await self._within(self.client.set(key, value, px=_milliseconds(ttl)))

    async def replace(self, key: str, value: bytes, *, ttl: float) -> bytes | None:
        """Keep `value` for `ttl` seconds; answers what was there before."""
        answer = self.client.set(key, value, px=_milliseconds(ttl), get=True)
        return cast("bytes | None", await self._within(answer))

    async def set_many(self, values: Mapping[str, bytes], *, ttl: float) -> None:
        """Keep many values for `ttl` seconds in one round trip."""
        if not values:
            return
        pipeline = self.client.pipeline(transaction=False)
        for key, value in values.items():
            pipeline.set(key, value, px=_milliseconds(ttl))
        await self._within(pipeline.execute())

    async def set_if_absent(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Keep `value` only if `key` is free; says whether it was."""
        return bool(await self._within(self.client.set(key, value, px=_milliseconds(ttl), nx=True)))

    async def take(self, key: str) -> bytes | None:
        """Read and delete in one step: a one-use ticket is used once, whoever asks at the same time."""
        return cast("bytes | None", await self._within(self.client.getdel(key)))

    async def delete(self, *keys: str) -> int:
        """Delete keys; answers how many there were."""
        if not keys:
            return 0
        return cast(int, await self._within(self.client.delete(*keys)))

    async def count(self, key: str, field: str, by: int, *, ttl: float) -> int:
        """Add `by` to one field of a hash of counts and answer the new count; the hash lives `ttl` seconds more."""
        pipeline = self.client.pipeline(transaction=False)
        pipeline.hincrby(key, field, by)
        pipeline.pexpire(key, _milliseconds(ttl))
        answers = cast("list[int]", await self._within(pipeline.execute()))
        return answers[0]

    async def read_count(self, key: str, field: str) -> int:
        """One field of a hash of counts; 0 when it is not there."""
        return int(cast("bytes | None", await self._within(self.client.hget(key, field))) or 0)

    async def read_counts(self, key: str) -> dict[str, int]:
        """All fields of a hash of counts."""
        found = cast("dict[bytes, bytes]", await self._within(self.client.hgetall(key)))
        return {field.decode(): int(value) for field, value in found.items()}

    async def delete_if(self, key: str, value: bytes) -> bool:
        """Delete `key` only while it still holds `value`: a lease is given back by its holder alone."""
        done = self.client.eval(
            "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0",
            1,
            key,
            value,
        )
        return bool(await self._within(done))

    async def _within(self, answer: object) -> object:
        """Await one reply within the deadline; every fault of the way becomes BusAway."""
        try:
            async with asyncio.timeout(self._deadline):
                return await cast("Awaitable[object]", answer)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("bus.away", error=str(error) or type(error).__name__)
            raise BusAway(
                "The message bus (Valkey) does not answer; the request may be sent again in a moment."
            ) from error


def _redis_scheme(url: str) -> str:
    """redis-py knows only the old names of the schemes."""
    scheme, separator, rest = url.partition("://")
    return {"valkey": "redis", "valkeys": "rediss"}.get(scheme, scheme) + separator + rest


def _milliseconds(ttl: float) -> int:
    return max(1, round(ttl * 1000))
