"""R9: a herd comes home. The hub that has the devices is killed; they come back spread, and those in stay fast."""

import asyncio
import time
from collections.abc import Sequence

from edgeflow_cloud.drills import CannotRun, Drill, Ground, Layout, Order, Report, Stack, open_stack
from edgeflow_cloud.simulator import Credentials, Latencies, Pace, Watch

_FIRST = 10.0
_HOME = 15.0
"""Seconds after the kill by which everybody is back."""
_WITNESSES = 20
"""Devices on the hub that stays, one ping every half a second each."""
_SLOWEST = 1.0
_PEAK = 2.0
"""Times the even share of attempts that the fullest second may have."""


class Arrivals(Watch):
    """When devices dialled and came in, on the monotonic clock."""

    def __init__(self) -> None:
        self.attempts: list[float] = []
        self.came_at: list[float] = []
        self.pongs = Latencies()

    def attempted(self, device_id: str) -> None:
        self.attempts.append(time.monotonic())

    def came(self, device_id: str, seconds: float) -> None:
        self.came_at.append(time.monotonic())

    def beat(self, device_id: str, seconds: float) -> None:
        self.pongs.add(seconds)

    def forget(self) -> None:
        """From now on."""
        self.attempts.clear()
        self.came_at.clear()
        self.pongs = Latencies()


def fullest_second(moments: Sequence[float]) -> int:
    """The most of them within any one second."""
    ordered, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(ordered):
        while ordered[first] < moment - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Everybody on one hub, kill it, watch them come to the other."""
    async with open_stack(ground, Layout(2, 1, 1), report) as stack:
        identities = await stack.enter(order.devices + _WITNESSES)
        dying, staying = stack.of("hub")
        calm, herd = Arrivals(), Arrivals()
        stack.front.upstreams = [staying.address]
        witnesses: Sequence[Credentials] = identities[:_WITNESSES]
        async with stack.fleet(witnesses, order, pace=Pace(heartbeat=0.5), watch=calm) as probe:
            stack.front.upstreams = [dying.address]
            pace = Pace(first=_FIRST, jitter=order.mutant != "no-jitter")
            async with stack.fleet(identities[_WITNESSES:], order, pace=pace, watch=herd) as fleet:
                calm.forget()
                await asyncio.sleep(2.0)
                report.fact("ping before", calm.pongs.shown())
                herd.forget()
                calm.forget()
                dying.kill()
                killed = time.monotonic()
                stack.front.upstreams = [staying.address]
                if not await fleet.until(lambda: fleet.tally.connected < order.devices / 2, within=5.0):
                    raise CannotRun("The kill of the hub cut nobody.")
                home = await fleet.until_in(within=60.0)
                seconds = max(herd.came_at, default=killed) - killed
                await _judge(report, stack, order, herd, calm, seconds, home)
                report.fact("refusals", dict(fleet.tally.refusals) or "none")
                report.check(
                    probe.tally.reconnects == 0,
                    f"those already in stay in: {probe.tally.reconnects} were lost",
                )


async def _judge(
    report: Report, stack: Stack, order: Order, herd: Arrivals, calm: Arrivals, seconds: float, home: bool
) -> None:
    peak = fullest_second(herd.attempts)
    share = order.devices / _FIRST
    # Chance alone lifts a small herd's fullest second: three standard deviations are allowed for.
    most = max(_PEAK * share, share + 3.0 * share**0.5 + 5)
    report.fact("devices", order.devices)
    report.fact("all home after", f"{seconds:.1f} s")
    report.fact("fullest second", f"{peak} attempts, an even share is {share:.0f}")
    report.fact("ping meanwhile", calm.pongs.shown())
    report.check(home and seconds <= _HOME, f"all are home within {_HOME:g} s: it took {seconds:.1f} s")
    report.check(peak <= most, f"they come spread: {peak} attempts in one second, at most {most:.0f}")
    slow = calm.pongs.quantile(0.99)
    report.check(slow <= _SLOWEST, f"those already in stay fast: p99 of a ping is {slow:.2f} s")


DRILL = Drill(
    name="herd",
    question="Do devices come home spread, soon, and without slowing those that are in?",
    run=run,
    mutants={"no-jitter": "every device waits as long as every other one"},
    seconds=1.0,
    devices=300,
)
