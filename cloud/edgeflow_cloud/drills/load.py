"""What people do meanwhile: commands ordered and pages read over REST, each answer counted."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import cast

import httpx2

from edgeflow_cloud.drills.ledger import Ledger
from edgeflow_cloud.simulator import Credentials, Latencies

_PATIENCE = 20.0


@dataclass(slots=True)
class Answers:
    """What REST calls came to. `broken` has an example of each kind of wrong answer."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    codes: Counter[str] = field(default_factory=Counter[str])
    """The `code` of problems."""
    lost: int = 0
    """Calls that ended without an answer."""
    examples: dict[str, str] = field(default_factory=dict[str, str])
    latencies: Latencies = field(default_factory=Latencies)
    last_good: float = 0.0
    bad_times: list[float] = field(default_factory=list[float])
    """When an answer was a 5xx or none."""

    @property
    def server_errors(self) -> int:
        """Answers from 500 on."""
        return sum(count for status, count in self.statuses.items() if status >= 500)

    def note(self, answer: httpx2.Response, seconds: float) -> dict[str, object]:
        """Count an answer; its body when it is an object."""
        self.statuses[answer.status_code] += 1
        self.latencies.add(seconds)
        body = _object(answer)
        if answer.status_code >= 400:
            code = str(body.get("code") or "")
            self.codes[code or f"no code ({answer.status_code})"] += 1
            self.examples.setdefault(f"{answer.status_code} {code}", answer.text[:300])
        if answer.status_code >= 500:
            self.bad_times.append(monotonic())
        elif answer.status_code < 400:
            self.last_good = monotonic()
        return body

    def said(self) -> str:
        """One line."""
        counts = ", ".join(f"{count:,} x {status}" for status, count in sorted(self.statuses.items()))
        return f"{counts or 'none'}; {self.lost} lost; {self.latencies.shown()}"


class People:
    """Ask at a steady pace until `stop`. Every call is one connection, so that no answer hides behind a dead one."""

    def __init__(
        self,
        api: httpx2.AsyncClient,
        identities: Sequence[Credentials],
        dice: Random,
        ledger: Ledger | None = None,
    ) -> None:
        self._api = api
        self._ids = [one.device_id for one in identities]
        self._dice = dice
        self._ledger = ledger
        self._running: set[asyncio.Task[None]] = set()
        self._pacers: list[asyncio.Task[None]] = []
        self.reads = Answers()
        self.writes = Answers()
        self.commands = Answers()

    def start(self, *, reads: float = 0.0, writes: float = 0.0, commands: float = 0.0) -> None:
        """So many of each a second, from now on."""
        for rate, call in ((reads, self.read), (writes, self.write), (commands, self.order)):
            if rate > 0:
                self._pacers.append(asyncio.create_task(self._pace(rate, call)))

    async def stop(self) -> None:
        """Begin nothing more; what runs is awaited."""
        for pacer in self._pacers:
            pacer.cancel()
        await asyncio.gather(*self._pacers, return_exceptions=True)
        self._pacers.clear()
        if self._running:
            await asyncio.wait(self._running, timeout=_PATIENCE + 5)

    async def _pace(self, rate: float, call: Callable[[], Coroutine[object, object, None]]) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + 1.0 / rate, loop.time() - 1.0)
            await asyncio.sleep(max(0.0, due - loop.time()))
            task = asyncio.create_task(call())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def read(self) -> None:
        """A list, or one device's shadow."""
        path = "/devices?limit=20" if self._dice.random() < 0.5 else f"/devices/{self._any()}/shadow"
        await self._call(self.reads, "GET", path)

    async def write(self) -> None:
        """Desired of a device."""
        body = {"desired": {"drill": self._dice.randrange(1_000_000)}}
        await self._call(self.writes, "PUT", f"/devices/{self._any()}/shadow", body)

    async def order(self) -> None:
        """A command to anybody."""
        await self.ask(self._any())

    async def ask(self, device_id: str) -> bool:
        """A command, waited for; repeated with the same key while nobody answers. Whether it was done."""
        key = uuid.uuid4().hex
        body: dict[str, object] = {"action": "health_check", "timeout": 5, "ttl": 20}
        for attempt in range(8):
            answer = await self._call(
                self.commands, "POST", f"/devices/{device_id}/commands?wait=5", body, {"Idempotency-Key": key}
            )
            command = answer.get("id")
            if isinstance(command, str):
                if self._ledger is not None:
                    self._ledger.ordered(device_id, command)
                return answer.get("status") == "done"
            await asyncio.sleep(0.2 * (attempt + 1))
        return False

    async def _call(
        self,
        answers: Answers,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, object]:
        began = monotonic()
        try:
            answer = await self._api.request(method, path, json=body, headers=headers, timeout=_PATIENCE)
        except httpx2.HTTPError as error:
            answers.lost += 1
            answers.bad_times.append(monotonic())
            answers.examples.setdefault(type(error).__name__, f"{method} {path}: {error}")
            return {}
        return answers.note(answer, monotonic() - began)

    def _any(self) -> str:
        return self._dice.choice(self._ids)


def _object(answer: httpx2.Response) -> dict[str, object]:
    try:
        body: object = answer.json()
    except ValueError:
        return {}
    return cast("dict[str, object]", body) if isinstance(body, dict) else {}
