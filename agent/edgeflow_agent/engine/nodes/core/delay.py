"""delay: messages later, or not faster than so many."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Annotated, Literal

from msgspec import Meta

from ...duration import read_duration
from ...javalike import to_number
from ...message import Message
from ...node import Node, NodeConfig, NodeError, current_run
from ...run import Run

HELD = 10_000


class DelayConfig(NodeConfig):
    """Field runtime: `duration`, `timeout`; Node-RED: `pauseType` and the keys that go with it."""

    duration: Annotated[str | float, Meta(title="Delay", extra_json_schema={"format": "duration"})] = "1s"
    timeout: Annotated[str | float, Meta(title="Longest delay allowed")] = "1m"
    delay: Annotated[str | float, Meta(title="Delay (sample files)")] = ""
    mode: Annotated[Literal["", "delay", "rate-limit"], Meta(title="Kind (sample files)")] = ""
    rate_unit: str = ""
    pause_type: Annotated[
        Literal["", "delay", "delayv", "random", "rate", "queue", "timed"], Meta(title="Kind (Node-RED)")
    ] = ""
    timeout_units: str = "seconds"
    rate: Annotated[float, Meta(gt=0)] = 1
    nb_rate_units: Annotated[float, Meta(gt=0)] = 1
    rate_units: str = "second"
    random_first: float = 1
    random_last: float = 5
    random_units: str = "seconds"
    drop: Annotated[bool, Meta(title="Drop what comes too fast")] = False
    outputs: int = 1


class Delay(Node[DelayConfig]):
    """Holds each message back for a time, or lets them pass at a limited rate."""

    type = "delay"
    concurrency = HELD
    Config = DelayConfig

    def count_outputs(self) -> int:
        return max(1, self.config.outputs)

    async def start(self) -> None:
        config = self.config
        self._held: dict[asyncio.Future[None], tuple[Message, Run | None, asyncio.TimerHandle]] = {}
        self._queue: deque[tuple[Message, asyncio.Future[None], Run | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._last: dict[str, float] = {}
        self._kind = config.pause_type or ("rate" if config.mode == "rate-limit" else "delay")
        if config.pause_type:
            self._seconds = read_duration(config.timeout, _unit(config.timeout_units))
        else:
            self._seconds = read_duration(config.delay if config.delay != "" else config.duration)
            longest = read_duration(config.timeout)
            if self._seconds > longest:
                raise NodeError(
                    f"The delay of {self._seconds:g} s is longer than its limit of {longest:g} s."
                )
        self._gap = (
            read_duration(config.nb_rate_units, _unit(config.rate_unit or config.rate_units)) / config.rate
        )

    def receive(self, message: Message) -> asyncio.Future[None] | None:
        if "reset" in message:
            self._reset()
            return None
        if "flush" in message:
            self._flush(message.get("flush"))
            return None
        if self._kind in ("rate", "queue", "timed"):
            return self._pace(message)
        return self._hold(message, self._seconds_of(message))

    async def stop(self) -> None:
        self._reset()

    def _seconds_of(self, message: Message) -> float:
        if self._kind == "random":
            config = self.config
            unit = _unit(config.random_units)
            first, last = read_duration(config.random_first, unit), read_duration(config.random_last, unit)
            return random.uniform(first, last)  # noqa: S311  not for secrets
        if self._kind == "delayv" and "delay" in message:
            number = to_number(message["delay"])
            return max(0.0, number / 1000) if number == number else self._seconds
        return self._seconds

    def _hold(self, message: Message, seconds: float) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        timer = loop.call_later(seconds, self._release, future)
        self._held[future] = (message, current_run.get(), timer)
        return future

    def _release(self, future: asyncio.Future[None]) -> None:
        message, run, timer = self._held.pop(future)
        timer.cancel()
        current_run.set(run)
        self.send(message)
        if not future.done():
            future.set_result(None)

    def _pace(self, message: Message) -> asyncio.Future[None] | None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self.config.drop and self._kind == "rate":
            if now - self._last.get("", -1e9) >= self._gap:
                self._last[""] = now
                self.send(message)
            elif self.count_outputs() > 1:
                self.send(message, 1)
            return None
        if self._kind == "rate" and self._timer is None:
            self._timer = loop.call_later(self._gap, self._next)
            self.send(message)
            return None
        if self._kind != "rate":  # The newest of each topic waits; an older one of it is done with.
            topic = str(message.get("topic") or "_none_")
            for place, (held, future, _) in enumerate(self._queue):
                if str(held.get("topic") or "_none_") == topic:
                    self._queue[place] = (message, future, current_run.get())
                    return None
        future = loop.create_future()
        self._queue.append((message, future, current_run.get()))
        if self._timer is None:
            self._timer = loop.call_later(self._gap, self._next)
        return future

    def _next(self) -> None:
        self._timer = None
        count = len(self._queue) if self._kind == "timed" else min(1, len(self._queue))
        for _ in range(count):
            self._pass_one()
        if count:
            self._timer = asyncio.get_running_loop().call_later(self._gap, self._next)

    def _pass_one(self) -> None:
        message, future, run = self._queue.popleft()
        current_run.set(run)
        self.send(message)
        if not future.done():
            future.set_result(None)

    def _flush(self, count: object) -> None:
        run = current_run.get()
        left = count if isinstance(count, int) and not isinstance(count, bool) else HELD
        for future in list(self._held)[:left]:
            self._release(future)
        for _ in range(min(left, len(self._queue))):
            self._pass_one()
        current_run.set(run)

    def _reset(self) -> None:
        for future, (_, _, timer) in self._held.items():
            timer.cancel()
            if not future.done():
                future.set_result(None)
        self._held.clear()
        for _, future, _ in self._queue:
            if not future.done():
                future.set_result(None)
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _unit(name: str) -> str:
    return name if name.endswith("s") else name + "s"
