"""Takes a sample every few seconds and keeps it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from edgeflow_protocol.telemetry import FlowTotals, Sample

from .readings import Readings
from .spool import Spool

_log = logging.getLogger(__name__)


class Collector:
    """Samples every `interval` seconds, which may be changed at any time; `kept` is told after each."""

    def __init__(
        self,
        readings: Readings,
        spool: Spool,
        interval: float,
        kept: Callable[[], None],
        count_flows: Callable[[], FlowTotals | None] = lambda: None,
    ) -> None:
        self.interval = interval
        self.latest: Sample | None = None
        self._readings = readings
        self._spool = spool
        self._kept = kept
        self._count_flows = count_flows
        self._changed = asyncio.Event()

    def set_interval(self, seconds: float) -> None:
        """From now on; the running wait is begun anew."""
        self.interval = seconds
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled. A sensor that fails costs one sample, not the agent."""
        loop = asyncio.get_running_loop()
        due = loop.time() + min(1.0, self.interval)
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._changed.wait()
                due = loop.time() + self.interval
                continue
            except TimeoutError:
                pass
            await self._take()
            # On the beat, unless the machine slept or was slow: missed beats are not made up.
            due = max(due + self.interval, loop.time() + self.interval / 2)

    async def _take(self) -> None:
        try:
            sample = await asyncio.to_thread(self._readings.sample)
        except Exception:
            _log.exception("A measurement failed.")
            return
        sample = msgspec.structs.replace(sample, flows=self._count_flows())
        self.latest = sample
        if await self._spool.append(sample):
            self._kept()
