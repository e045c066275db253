"""S5: samples acknowledged after their commit, against COPY alone of the same rows into the same table.

Both share two cores with PostgreSQL and what makes the load. Rounds of both follow one another.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.load.child import Child
from tests.load.profile import profiled
from tests.load.report import Figure, Floor, Promise

if TYPE_CHECKING:
    from tests.load.bench import Bench

DEVICES = 500
WINDOW = 2
"""Batches of a device that may be under way, so that the wait for a commit bounds nothing."""
SECONDS = 5.0
_RUNS = 3


def measure(bench: Bench) -> list[Figure]:
    bench.say("S5: telemetry")
    stack = bench.stack
    count = bench.count(DEVICES)
    devices = [str(device) for device in stack.devices[: 24 * 20 : 24]]  # of the first organization
    rates: list[float] = []
    cores: list[float] = []
    floor: list[float] = []
    with (
        stack.serve("hub", own_port=True, name="hub") as hub,
        stack.generator() as generator,
        stack.ask("copying", str(stack.organizations[0].id), *devices) as copying,
    ):
        generator.ask({"do": "connect", "port": hub.tunnel, "count": count})
        send = {"do": "telemetry", "seconds": bench.seconds(SECONDS), "devices": count, "window": WINDOW}
        generator.ask({**send, "seconds": 1.0})
        for _ in range(_RUNS):
            before = hub.child.cpu()
            answer = generator.ask(send)
            rates.append(answer["samples"] / answer["seconds"])
            cores.append(answer["samples"] / (hub.child.cpu() - before))
            floor.append(copying.ask({"do": "copy", "seconds": bench.seconds(SECONDS)})["rate"])
        with profiled("S5-hub", hub.child.pid, bench.seconds(SECONDS)) as profile:
            generator.ask(send)
        bench.profiles.append(profile)
        light = [_light(bench, generator, hub.child, count) for _ in range(_RUNS)]
    return [
        Figure(
            "S5",
            "samples a second, acknowledged, 12 values, 10 a frame",
            rates,
            "/s",
            [Floor("COPY alone", floor)],
            Promise(20_000, at_least=True),
        ),
        Figure("S5", "samples for a second of the hub's processor time", cores, "/cpu-s"),
        Figure("S5", "hub at 1,111 messages and 3,333 points a second", light, "% core", [], Promise(10)),
    ]


def _light(bench: Bench, generator: Child, hub: Child, devices: int) -> float:
    """Percent of one core that the hub takes for a published load: 1,111 frames a second of one sample, 3 values."""
    order = {"do": "telemetry", "devices": devices, "samples": 1, "values": 3, "rate": 1_111.0}
    before, began = hub.cpu(), time.perf_counter()
    generator.ask({**order, "seconds": bench.seconds(3.0)})
    return 100 * (hub.cpu() - before) / (time.perf_counter() - began)
