"""Which steps are kept ready, and which of them answers a question. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry.model import Window

Resolution = Literal["raw", "1m", "1h", "1d"]
MINUTE, HOUR, DAY = 60, 3_600, 86_400
NAMES: dict[int, Resolution] = {MINUTE: "1m", HOUR: "1h", DAY: "1d"}
"""Seconds -> the name, which ends the names of the tables, too."""
NEXT = {MINUTE: HOUR, HOUR: DAY}
"""Each step is made from the one below, minutes from samples."""

AGGREGATES = ("avg", "min", "max", "sum", "count")


@dataclass(frozen=True, slots=True)
class Due:
    """A stretch [start, end) of one device that is to be computed."""

    tenant_id: TenantId
    device_id: DeviceId
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose values are read: parallel lists. From `tails` on samples are read, before it rollups; values of devices
    with the same `keys` are taken together. A device may stand in several.
    """

    device_ids: Sequence[DeviceId]
    tails: Sequence[datetime]
    keys: Sequence[int]


def choose_step(step: int) -> int:
    """The largest kept step that a chart of `step` seconds can be made of; 0 when it needs the samples."""
    return next((kept for kept in (DAY, HOUR, MINUTE) if step % kept == 0), 0)


def name_of(step: int) -> Resolution:
    """What an answer calls a kept step; `raw` for 0."""
    return NAMES.get(step, "raw")


def widen(window: Window, step: int) -> Window:
    """The window moved out to whole kept steps, for they cannot be cut."""
    if not step:
        return window
    return Window(floor(window.start, step), ceil(window.end, step), window.step)


def floor(time: datetime, step: int) -> datetime:
    """The begin of the step that `time` is in."""
    return datetime.fromtimestamp(math.floor(time.timestamp()) // step * step, UTC)


def ceil(time: datetime, step: int) -> datetime:
    """The end of the step that ends at or behind `time`."""
    return floor(time + timedelta(seconds=step, microseconds=-1), step)


def cut(start: datetime, end: datetime, most: timedelta) -> datetime:
    """Where the part ends that is done at once: at a day's begin, unless it is all."""
    return min(floor(start, DAY) + most, end)
