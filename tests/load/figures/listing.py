"""S7 and S12: one device, pages, queries among 1,000, 10,000 and 100,000 registered devices of one organization.

Over REST with a login, the tenant's row-level security as the role `edgeflow_app`, and each call's own query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from edgeflow_cloud.kernel import ids
from tests.load.profile import profiled
from tests.load.report import Figure, Promise

if TYPE_CHECKING:
    from tests.load.bench import Bench

SIZES = (1_000, 10_000, 100_000)
SECONDS = 3.0
_RUNS = 3
_QUERY = quote('tag = "rack-{digit}" and name ~ "listed"', safe="{}")
_CALLS = (
    ("one device", "/{device}", '"device_id"'),
    ("first page of 50, with the total", "?limit=50", '"items"'),
    ("first page of 50", "?limit=50&total=false", '"items"'),
    ("search by name", "?limit=50&search=-000{digit}", '"items"'),
    ("query by tag and name", f"?limit=50&total=false&q={_QUERY}", '"items"'),
)


def measure(bench: Bench) -> list[Figure]:
    bench.say("S7 S12: lists and queries of registered devices")
    stack = bench.stack
    made: list[Figure] = []
    # Few enough calls that one person's limit, 1,000 at once and 100 a second, is not met.
    order: dict[str, object] = {"do": "closed", "at_once": 1, "seconds": bench.seconds(SECONDS), "most": 150}
    owners = list(zip(stack.organizations, SIZES, strict=False))
    for organization, size in owners:
        stack.crowd(organization, bench.count(size))
    with stack.serve("api", name="api") as api, stack.ask("caller") as caller:
        for place, (organization, size) in enumerate(owners):
            own = [ids.encode(ids.DEVICE, one) for one in stack.devices[place :: len(stack.organizations)]]
            for what, query, wanted in _CALLS:
                paths = [
                    ("GET", f"/api/v1/devices{_fill(query, digit, own)}", organization.token, "")
                    for digit in range(1, 10)
                ]
                caller.ask({"do": "targets", "port": api.rest, "requests": paths, "wanted": wanted})
                caller.ask({**order, "most": 10})
                p95 = [caller.ask(order)["p95"] for _ in range(_RUNS)]
                name = f"{what}, {bench.count(size):,} registered, p95"
                made.append(Figure("S12", name, p95, "ms"))
                if size == SIZES[-1]:
                    made.append(Figure("S7", name, p95, "ms", [], Promise(30)))
        with profiled("S12-api", api.child.pid, bench.seconds(SECONDS)) as profile:
            caller.ask(order)
        bench.profiles.append(profile)
    return made


def _fill(query: str, digit: int, devices: list[str]) -> str:
    """Another device or another answer each time."""
    return query.replace("{digit}", str(digit)).replace("{device}", devices[digit % len(devices)])
