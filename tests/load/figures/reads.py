"""S7: reads of one device over REST, with a login, tenancy and one query, against FastAPI and one SELECT.

100,000 devices are registered. Rounds of both follow one another: the same callers, the same devices, one process each
beside the same PostgreSQL. The API's database role is `edgeflow_app`, under forced row-level security; the floor's is
the owner's, which passes it by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeflow_cloud.kernel import ids
from tests.load.child import Answer, Child
from tests.load.figures.listing import SIZES
from tests.load.profile import profiled
from tests.load.report import Figure, Floor, Promise

if TYPE_CHECKING:
    from tests.load.bench import Bench

AT_ONCE = 16
SECONDS = 4.0
TAKEN = 4_800
"""Devices that are read, those of all organizations: one person may call a hundred times a second."""
_RUNS = 3


def measure(bench: Bench) -> list[Figure]:
    bench.say("S7: reads")
    stack = bench.stack
    for organization, size in zip(stack.organizations, SIZES, strict=False):
        stack.crowd(organization, bench.count(size))
    owners = stack.organizations
    asked = [
        (owners[number % len(owners)], device)
        for number, device in enumerate(stack.devices[: bench.count(TAKEN)])
    ]
    ours: list[Answer] = []
    bare: list[Answer] = []
    with (
        stack.serve("api", name="api") as api,
        stack.reading() as floor,
        stack.ask("caller") as caller,
        stack.ask("caller") as other,
    ):
        own = [("GET", f"/api/v1/devices/{ids.encode(ids.DEVICE, one)}", by.token, "") for by, one in asked]
        plain = [("GET", f"/tenants/{by.id}/devices/{one}", "", "") for by, one in asked]
        caller.ask({"do": "targets", "port": api.rest, "requests": own, "wanted": '"device_id"'})
        other.ask({"do": "targets", "port": floor.rest, "requests": plain})
        for one in (caller, other):
            one.ask({"do": "closed", "at_once": AT_ONCE, "seconds": 1.0})
        for _ in range(_RUNS):
            ours.append(_read(bench, caller, api.child))
            bare.append(_read(bench, other, floor.child))
        with profiled("S7-api", api.child.pid, bench.seconds(SECONDS)) as profile:
            _read(bench, caller, api.child)
        bench.profiles.append(profile)
    registered = f"{sum(bench.count(size) for size in SIZES) + len(stack.devices):,} registered"

    def figure(what: str, point: str, unit: str, promised: Promise | None) -> Figure:
        floors = [Floor("FastAPI and one SELECT", [one[point] for one in bare])]
        values = [one[point] for one in ours]
        return Figure("S7", f"{what}, {registered}", values, unit, floors, promised)

    promised = Promise(0.4, at_least=True, of_floor=True)
    return [
        figure("reads of a device for a second of one core", "per_core", "/cpu-s", promised),
        figure("the same by the clock", "rate", "/s", None),
        figure(f"a read while {AT_ONCE} callers ask again and again, p95", "p95", "ms", None),
    ]


def _read(bench: Bench, caller: Child, server: Child) -> Answer:
    before = server.cpu()
    answer = caller.ask({"do": "closed", "at_once": AT_ONCE, "seconds": bench.seconds(SECONDS)})
    return {**answer, "per_core": answer["calls"] / (server.cpu() - before)}
