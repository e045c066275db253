"""R11: every process is restarted in turn under load: no 5xx, devices are told, nobody is away for long."""

import asyncio
import time

from edgeflow_cloud.drills import Answers, Drill, Ground, Layout, Ledger, Node, Order, Report, open_stack
from edgeflow_cloud.outage_drills.scene import ledger_path, witnessed
from edgeflow_cloud.simulator import Load, Pace
from edgeflow_protocol.closing import CloseCode

_AWAY = 35.0
_EXIT = 45.0
_PACE = Pace(first=2.0, cap=4.0, answer=3.0)
"""Hurried: the promise of 35 s is for the real agent's first wait of up to 10 s, and a hub that is slow to return."""
_TOLD = frozenset({int(CloseCode.NORMAL), int(CloseCode.RESTART)})


class Absences(Ledger):
    """A ledger that also knows how long each device was away."""

    longest: float = 0.0

    def went(self, device_id: str, code: int) -> None:
        self._gone()[device_id] = time.monotonic()

    def came(self, device_id: str, seconds: float) -> None:
        since = self._gone().pop(device_id, None)
        if since is not None:
            self.longest = max(self.longest, time.monotonic() - since)

    def _gone(self) -> dict[str, float]:
        return self.__dict__.setdefault("away_since", {})


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Two of each role; each is ended and started again, one after the other."""
    async with open_stack(ground, Layout(2, 2, 2), report) as stack:
        ledger = Absences(ledger_path(ground.folder, stack))
        identities = await stack.enter(order.devices)
        async with witnessed(stack, order, identities, ledger, load=Load(2, 2), pace=_PACE) as scene:
            fleet, people = scene.fleet, scene.people
            people.start(reads=15, writes=4, commands=4)
            await asyncio.sleep(1.0)
            victims = stack.of("hub") if order.mutant else stack.nodes
            slowest = 0.0
            for node in victims:
                slowest = max(slowest, await _restart(node, report, order))
                await fleet.until_in(within=_AWAY)
            await asyncio.sleep(1.0)
            await people.stop()
            settled = await fleet.settle(20.0)
            report.fact("slowest exit", f"{slowest:.1f} s")
            report.fact("longest absence of a device", f"{ledger.longest:.1f} s")
            report.fact("closes", dict(fleet.tally.closes))
            report.fact("drains", fleet.tally.drains)
            report.check(slowest <= _EXIT, f"a process ends within {_EXIT:g} s: {slowest:.1f} s")
            report.check(
                fleet.tally.connected == order.devices and ledger.longest <= _AWAY,
                f"nobody is away for more than {_AWAY:g} s: {ledger.longest:.1f} s, "
                f"{fleet.tally.connected} of {order.devices} are in",
            )
            untold = {code: count for code, count in fleet.tally.closes.items() if code not in _TOLD}
            report.check(not untold, f"devices are told (1012, or drained): closes {untold}")
            report.check(settled, f"all is acknowledged: {fleet.unacknowledged} batches are not")
            kinds: dict[str, Answers] = {
                "reads": people.reads,
                "writes": people.writes,
                "commands": people.commands,
            }
            for name, answers in kinds.items():
                report.fact(name, answers.said())
                report.check(
                    not answers.server_errors and not answers.lost,
                    f"{name} never fail: {answers.said()}, {answers.examples}",
                )


async def _restart(node: Node, report: Report, order: Order) -> float:
    """End it and start it again; the seconds that its end took."""
    if order.mutant:
        node.kill()
        seconds = 0.0
    else:
        seconds = await node.end(_EXIT + 5.0)
    started = await node.start()
    report.step(f"{node.name} ended in {seconds:.1f} s, ready again after {started:.1f} s")
    return seconds


DRILL = Drill(
    name="rolling",
    question="Can every process be restarted under load without a 5xx, and with devices told and soon back?",
    run=run,
    mutants={"no-goodbye": "processes are killed, not ended"},
    seconds=1.0,
    devices=40,
)
