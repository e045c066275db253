"""Known and unknown, asked in turn: time does not tell them apart.

The bound is 1 % of the median or 0.2 ms, whichever is more. What else a machine does weighs on both of a pair alike, so
what counts is the median of the differences within pairs, of those that it disturbed least. Pairs are made until it is
known well enough to lie inside the bound or outside of it (an interval that holds it with 99 %), however loaded the
machine is; where time runs out before, nothing was proven, and the drill says so.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx2

from edgeflow_cloud.drills import EMAIL, PASSWORD, CannotRun, Drill, Ground, Layout, Order, Report, open_stack
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.tenant_drills.pairs import Pairs

_SECONDS = 45.0
"""For which one question is asked at most."""
Ask = Callable[[], Awaitable[int]]


@dataclass(slots=True)
class Question:
    """Two askers whose answers must look alike; `pairs` of samples a round, `lanes` at a time."""

    name: str
    known: Ask
    unknown: Ask
    status: int
    pairs: int
    lanes: int = 1
    times: Pairs = field(default_factory=Pairs)

    async def run(self) -> None:
        """Ask until it is known whether they are alike, or time is up."""
        turns = itertools.count()
        until = time.monotonic() + _SECONDS
        while self.times.alike is None and time.monotonic() < until:
            left = itertools.count()

            async def lane(left: "itertools.count[int]" = left) -> None:
                while next(left) < self.pairs and time.monotonic() < until:
                    await self._pair(next(turns) % 2)

            await asyncio.gather(*(lane() for _ in range(self.lanes)))

    async def _pair(self, first: int) -> None:
        took = [0.0, 0.0]
        for side in (first, 1 - first):
            began = time.perf_counter()
            status = await (self.known, self.unknown)[side]()
            took[side] = time.perf_counter() - began
            if status != self.status:
                raise CannotRun(f"{self.name}: the answer is {status} and not {self.status}.")
        self.times.add(*took)


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Two organizations, one asks; every question known and unknown in turn."""
    settings = {"EDGEFLOW_TRUSTED_PROXIES": "127.0.0.1/32"}  # so that no limit by address is met
    async with open_stack(
        ground, Layout(0, 1, 0), report, mutant=order.mutant, mutated=["api"], settings=settings
    ) as stack:
        origin = f"http://127.0.0.1:{stack.of('api')[0].port}/api/v1"
        async with httpx2.AsyncClient(base_url=origin, timeout=20, trust_env=False) as client:
            slow, quick = await _questions(client)
            await asyncio.gather(*(question.run() for question in slow))
            for question in quick:
                await question.run()
    for question in (*slow, *quick):
        said = str(question.times)
        report.fact(question.name, said)
        report.check(question.times.alike is not False, f"{question.name}: time does not tell: {said}")
    unknown = [question.name for question in (*slow, *quick) if question.times.alike is None]
    if unknown and all(question.times.alike is not False for question in (*slow, *quick)):
        raise CannotRun(
            f"The machine is too busy to tell for {', '.join(unknown)}: ask again when it is not."
        )


async def _questions(client: httpx2.AsyncClient) -> tuple[list[Question], list[Question]]:
    numbers = itertools.count(1)

    def place() -> dict[str, str]:
        """A client address of its own for every call."""
        number = next(numbers)
        return {"x-forwarded-for": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}

    async def post(
        path: str, body: dict[str, object], headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        return await client.post(path, json=body, headers={**place(), **(headers or {})})

    async def enter(email: str) -> dict[str, str]:
        answer = await post("/auth/login", {"email": email, "password": PASSWORD})
        if answer.status_code != 200:
            raise CannotRun(f"No log-in: {answer.status_code} {answer.text[:300]}")
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    async def made(
        path: str, body: dict[str, object], headers: dict[str, str] | None = None
    ) -> dict[str, object]:
        answer = await post(path, body, headers)
        if answer.status_code != 201:
            raise CannotRun(f"POST {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    other = "neighbour@example.com"
    body = {"first_name": "N", "last_name": "N", "organization_name": "Neighbour", "accept_terms": True}
    await made("/auth/register", {"email": other, "password": PASSWORD, **body})
    own, foreign = await enter(EMAIL), await enter(other)
    device = await made("/devices", {"name": "pump"}, foreign)
    key = await made("/api-keys", {"name": "k", "scopes": ["devices:read"]}, foreign)
    codes = await made("/provisioning-codes", {"name": "valve"}, foreign)
    code = str(codes["items"][0]["code"])  # pyright: ignore
    claim: dict[str, object] = {"hardware_info": {"serial": "1"}, "network_info": {}}
    await made("/devices/provision", {"provisioning_code": code, **claim})
    claim["hardware_info"] = {"serial": "2"}
    strangers = itertools.count()

    def login(email: str | None) -> Ask:
        async def ask() -> int:
            who = email or f"nobody{next(strangers)}@example.com"
            return (await post("/auth/login", {"email": who, "password": "not the password"})).status_code

        return ask

    def provision(text: str) -> Ask:
        async def ask() -> int:
            return (await post("/devices/provision", {"provisioning_code": text, **claim})).status_code

        return ask

    def get(path: str, headers: dict[str, str]) -> Ask:
        async def ask() -> int:
            return (await client.get(path, headers={**place(), **headers})).status_code

        return ask

    def keyed(key: str) -> Ask:
        return get("/devices", {"x-api-key": key})

    status = await provision("PROV-ZZZZ-ZZZZ")()
    key, key_of_device, missing = str(key["key"]), str(device["api_key"]), ids.encode(ids.DEVICE, ids.new())
    nearly, far = key[:15] + "x" * (len(key) - 15), "edgeflow_" + "y" * (len(key) - 9)
    nearly_device, far_device = key_of_device[:10] + "x" * 30, "efk_" + "y" * 36
    seen, unseen = get(f"/devices/{device['device_id']}", own), get(f"/devices/{missing}", own)
    return [
        Question("user", login(other), login(None), 401, 24, lanes=3),
        Question(
            "code (used, or never made)", provision(code), provision("PROV-ZZZZ-ZZZZ"), status, 24, lanes=3
        ),
    ], [
        Question("API key", keyed(nearly), keyed(far), 401, 250),
        Question("device's key", keyed(nearly_device), keyed(far_device), 401, 250),
        Question("device (another's, or none)", seen, unseen, 404, 250),
    ]


DRILL = Drill(
    name="timing",
    question="Does time not tell who has an account, a key, a device or a code?",
    run=run,
    mutants={
        "no-even-out": "a refused log-in takes as long as its work",
        "no-refusal-time": "a refused provisioning code is answered at once",
    },
    seconds=1.0,
    devices=1,
)
