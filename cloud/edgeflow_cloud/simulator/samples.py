"""Plausible measurements of a small machine, cheap to make by the hundred thousand."""

from datetime import datetime, timedelta
from random import Random

from edgeflow_protocol.telemetry import Disk, Network, Sample

_TOTAL = 4 * 1024**3
_STEP = timedelta(microseconds=1)


class Gauge:
    """One device's readings: they wander. `take(count, until, apart)` gives samples with strictly rising times."""

    __slots__ = ("_cpu", "_dice", "_last", "_received", "_temperature", "_uptime")

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._cpu = dice.uniform(3.0, 60.0)
        self._temperature = dice.uniform(35.0, 60.0)
        self._received = dice.randrange(1, 10**9)
        self._uptime = 0.0
        self._last: datetime | None = None

    def restart(self) -> None:
        """The machine was switched off and on."""
        self._uptime = 0.0

    def take(self, count: int, until: datetime, apart: float) -> list[Sample]:
        """`count` samples `apart` seconds from one another, the last at `until`; no two ever at one time."""
        found: list[Sample] = []
        for index in range(count):
            moment = until - timedelta(seconds=apart * (count - 1 - index))
            if self._last is not None and moment <= self._last:
                moment = self._last + _STEP
            self._last = moment
            found.append(self._sample(moment, apart))
        return found

    def _sample(self, moment: datetime, apart: float) -> Sample:
        dice = self._dice
        self._cpu = min(100.0, max(0.0, self._cpu + dice.uniform(-4.0, 4.0)))
        self._temperature = min(85.0, max(20.0, self._temperature + dice.uniform(-0.3, 0.3)))
        self._received += dice.randrange(50_000)
        self._uptime += apart
        used = int(_TOTAL * (0.3 + self._cpu / 400))
        return Sample(
            time=moment,
            cpu_percent=round(self._cpu, 1),
            memory_total_bytes=_TOTAL,
            memory_used_bytes=used,
            memory_available_bytes=_TOTAL - used,
            memory_percent=round(100 * used / _TOTAL, 1),
            swap_total_bytes=0,
            swap_used_bytes=0,
            temperature_celsius=round(self._temperature, 1),
            uptime_seconds=round(self._uptime, 3),
            load_1=round(self._cpu / 50, 2),
            load_5=round(self._cpu / 60, 2),
            load_15=round(self._cpu / 70, 2),
            disks=[Disk("/", 32 * 1024**3, 9 * 1024**3)],
            networks=[Network("eth0", self._received, self._received // 3)],
        )
