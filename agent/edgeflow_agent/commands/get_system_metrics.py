"""`get_system_metrics`: the machine now, in the published shape."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..telemetry import Readings, system_metrics
from .verb import Verb


def make_get_system_metrics(readings: Readings) -> Verb:
    """`readings` may be shared: whoever asks within 0.2 s gets the same processor load."""

    async def get_system_metrics(payload: Mapping[str, object]) -> dict[str, object]:
        del payload
        return await asyncio.to_thread(system_metrics, readings)

    return get_system_metrics
