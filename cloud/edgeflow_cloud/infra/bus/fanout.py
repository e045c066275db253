"""The one subscription connection of this process, shared by every local Subscription."""

import asyncio
from contextlib import suppress
from typing import TypedDict, cast

import structlog
from redis import asyncio as valkey
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from edgeflow_cloud.infra.bus.subscription import Message, Subscription

log = structlog.get_logger("edgeflow.bus")

_HOME = "bus:home"  # always joined, so that the connection is a subscriber's also when nobody listens
_IDLE = 10.0  # seconds of silence after which the connection is asked whether it lives


class _Frame(TypedDict):
    type: str
    channel: bytes
    data: object


class Fanout:
    """Joins a channel when the first local listener wants it and leaves it after the last.

    A lost connection is rebuilt after 0.1, 0.2, … 2 s; then every channel is joined again and each
    subscription is told of the gap.
    """

    def __init__(self, client: valkey.Redis, *, deadline: float) -> None:
        self._client = client
        self._deadline = deadline
        self._members: dict[str, list[Subscription]] = {}
        self._confirmations: dict[str, asyncio.Event] = {}
        self._pubsub: PubSub | None = None
        self._task: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._sending = (
            asyncio.Lock()
        )  # first come, first sent: a leave and a join of one channel keep their order

    async def start(self) -> None:
        """Start the reader; returns once connected or after the deadline, whichever is first."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="bus-fanout")
        with suppress(TimeoutError):
            async with asyncio.timeout(self._deadline):
                await self._connected.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        for subscription in {one for members in self._members.values() for one in members}:
            await subscription.close()

    async def join(self, subscription: Subscription, channel: str) -> None:
        """Add a listener; waits (at most the deadline) until Valkey has confirmed the channel."""
        if self._task is None:
            await self.start()
        members = self._members.setdefault(channel, [])
        members.append(subscription)
        confirmed = self._confirmations.get(channel)
        if confirmed is None:
            confirmed = self._confirmations[channel] = asyncio.Event()
            await self._send("subscribe", channel)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._deadline):
                await confirmed.wait()

    async def leave(self, subscription: Subscription, channel: str) -> None:
        members = self._members.get(channel, [])
        if subscription in members:
            members.remove(subscription)
        if not members and self._members.pop(channel, None) is not None:
            self._confirmations.pop(channel, None)
            await self._send("unsubscribe", channel)

    async def _send(self, verb: str, channel: str) -> None:
        """Tell Valkey; if the connection is away, the next one joins what is wanted then."""
        pubsub = self._pubsub
        if pubsub is None:
            return
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(self._deadline), self._sending:
                await (pubsub.subscribe(channel) if verb == "subscribe" else pubsub.unsubscribe(channel))

    async def _run(self) -> None:
        delay = 0.1
        first = True
        while True:
            pubsub = self._client.pubsub()
            try:
                async with asyncio.timeout(self._deadline):
                    joined = set(self._members)
                    await pubsub.subscribe(_HOME, *joined)
                    self._pubsub = pubsub
                    if late := set(self._members) - joined:  # came while the line above was being sent
                        await pubsub.subscribe(*late)
                if not first:
                    self._tell_gap()
                    log.info("bus.back", channels=len(self._members))
                first, delay = False, 0.1
                await self._read(pubsub)
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("bus.lost", error=str(error) or type(error).__name__, retry_in=delay)
            finally:
                self._pubsub = None
                self._connected.clear()
                for confirmed in self._confirmations.values():
                    confirmed.clear()
                with suppress(RedisError, OSError, TimeoutError, asyncio.CancelledError):
                    await pubsub.aclose()
            first = False
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)

    async def _read(self, pubsub: PubSub) -> None:
        asked = False
        while True:
            frame = cast("_Frame | None", await pubsub.get_message(timeout=_IDLE))
            if frame is None:
                if asked:
                    raise TimeoutError("no answer to a ping")
                await pubsub.ping()
                asked = True
                continue
            asked = False
            kind = frame["type"]
            if kind == "message":
                channel = frame["channel"].decode()
                message = Message(channel, cast(bytes, frame["data"]))
                for subscription in self._members.get(channel, ()):
                    subscription.deliver(message)
            elif kind == "subscribe":
                channel = frame["channel"].decode()
                if channel == _HOME:
                    self._connected.set()
                elif channel in self._confirmations:
                    self._confirmations[channel].set()

    def _tell_gap(self) -> None:
        for subscription in {one for members in self._members.values() for one in members}:
            subscription.gap()
