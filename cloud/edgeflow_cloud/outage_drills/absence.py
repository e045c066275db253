"""What a cloud owes people and devices while a part of it is away, and when it is back: the common half of drills."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from edgeflow_cloud.drills import Answers, People, Report
from edgeflow_cloud.simulator import Fleet

NORMAL = 5.0
"""Seconds after a part is back by which nothing fails any more."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Who watches while a part is away. `part` and `way` are for sentences: PostgreSQL, kill -9."""

    report: Report
    fleet: Fleet
    people: People
    part: str
    way: str

    async def over(self, took: float) -> None:
        """It is back this moment: telemetry flows, and from five seconds on nothing fails."""
        back, report, what = time.monotonic(), self.report, f"{self.part} is back from {self.way}"
        acknowledged = self.fleet.tally.samples_acked
        report.step(f"{self.part} is back, that took {took:.1f} s")
        flowing = await self.fleet.until(lambda: self.fleet.tally.samples_acked > acknowledged, within=NORMAL)
        report.fact(f"telemetry flows again after {self.way}", f"{time.monotonic() - back:.1f} s")
        report.check(flowing, f"telemetry flows {NORMAL:g} s after {what}")
        await asyncio.sleep(max(0.0, back + NORMAL + 1.0 - time.monotonic()))
        late = [moment - back for one in self._answers() for moment in one.bad_times]
        last = max(late, default=0.0)
        report.fact(f"last 503 after {self.way}", f"{max(0.0, last):.1f} s after {self.part} was back")
        report.check(last <= NORMAL, f"nothing fails later than {NORMAL:g} s after {what}: {last:.1f} s")
        good = max(one.last_good for one in (self.people.reads, self.people.writes))
        report.check(good > back, f"REST answers again after {self.way}")

    def _answers(self) -> Sequence[Answers]:
        return (self.people.reads, self.people.writes, self.people.commands)


def judge(report: Report, fleet: Fleet, people: People, settled: bool) -> None:
    """Tunnels stayed, every call was answered, and what could not be served said 503 with a code."""
    tally = fleet.tally
    report.check(settled, f"all is acknowledged at the end: {fleet.unacknowledged} batches are not")
    report.check(tally.reconnects == 0, f"tunnels stay open: {tally.reconnects} reconnects")
    kinds: dict[str, Answers] = {"reads": people.reads, "writes": people.writes, "commands": people.commands}
    for name, answers in kinds.items():
        report.fact(name, answers.said())
        odd = {status: count for status, count in answers.statuses.items() if status >= 500 and status != 503}
        report.check(not odd, f"{name} that cannot be served say 503: {odd}, {answers.examples}")
        report.check(
            not answers.lost, f"every call of {name} is answered: {answers.lost} were not, {answers.examples}"
        )
        bare = [code for code in answers.codes if code.startswith("no code")]
        report.check(not bare, f"every refusal of {name} has a code: {bare}")
