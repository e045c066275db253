"""`health_check`: is the agent well? Uptime is the agent's own, in seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping

from .. import VERSION
from .verb import Verb


def make_health_check(started: float) -> Verb:
    """`started` is the agent's start on the monotonic clock."""

    async def health_check(payload: Mapping[str, object]) -> dict[str, object]:
        del payload
        return {"status": "healthy", "uptime": round(time.monotonic() - started, 1), "version": VERSION}

    return health_check
