"""S3: heartbeats, each device's ping when its last was answered, against mosquitto's QoS 0 round trips and picows."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.load import mosquitto
from tests.load.child import Child
from tests.load.profile import profiled
from tests.load.report import Figure, Floor, Promise

if TYPE_CHECKING:
    from tests.load.bench import Bench

DEVICES = 2_000
"""So many that no device comes near the 50 frames a second that it may send: the one number that no scale shrinks."""
SECONDS = 3.0
_RUNS = 3


@dataclass
class Lane:
    """One server with its own devices, and what its runs gave."""

    child: Child
    generator: Child
    per_core: list[float] = field(default_factory=list[float])
    rate: list[float] = field(default_factory=list[float])

    def run(self, seconds: float) -> None:
        before = self.child.cpu()
        answer = self.generator.ask({"do": "echo", "seconds": seconds})
        self.per_core.append(answer["messages"] / (self.child.cpu() - before))
        self.rate.append(answer["rate"])


def measure(bench: Bench) -> list[Figure]:
    with ExitStack() as opened:
        bench.say("S3: heartbeats")

        def lane(child: Child, port: int, kind: str) -> Lane:
            generator = opened.enter_context(bench.stack.generator(bare=kind != "device"))
            generator.ask({"do": "connect", "port": port, "count": DEVICES, "kind": kind})
            return Lane(child, generator)

        # The two hubs would take the same devices from each other, so one comes after the other.
        served = opened.enter_context(bench.stack.bare())
        bare = lane(served.child, served.tunnel, "bare")
        peer = None
        if bench.peer:
            broker, port = opened.enter_context(mosquitto.serve(bench.peer, bench.folder))
            peer = lane(broker, port, "mqtt")
        found: dict[str, Lane] = {}
        for name, own_port in (("own port", True), ("one port", False)):
            with ExitStack() as hub:
                served = hub.enter_context(bench.stack.serve("hub", own_port=own_port, name="hub"))
                generator = hub.enter_context(bench.stack.generator())
                generator.ask({"do": "connect", "port": served.tunnel, "count": DEVICES})
                found[name] = ours = Lane(served.child, generator)
                for _ in range(_RUNS):
                    for one in (ours, bare, peer):
                        if one is not None:
                            one.run(bench.seconds(SECONDS))
                if own_port:
                    with profiled("S3-hub", served.child.pid, bench.seconds(SECONDS)) as profile:
                        generator.ask({"do": "echo", "seconds": bench.seconds(SECONDS)})
                    bench.profiles.append(profile)
    core = [Floor("picows", bare.per_core)]
    clock = [Floor("picows", bare.rate)]
    if peer is not None:
        core.insert(0, Floor("mosquitto", peer.per_core))
        clock.insert(0, Floor("mosquitto", peer.rate))
    promised = Promise(1.0, at_least=True, of_floor=True) if peer is not None else None
    return [
        *(
            Figure("S3", f"heartbeats a second of one core, {name}", ours.per_core, "/cpu-s", core, promised)
            for name, ours in found.items()
        ),
        *(
            Figure("S3", f"the same by the clock, {name}", ours.rate, "/s", clock)
            for name, ours in found.items()
        ),
    ]
