"""How much may be asked at once, and which series devices fall into. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from edgeflow_cloud.devices import Labelled
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import FieldError, Invalid
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.telemetry import Resolution, Window, choose_step

Aggregate = Literal["avg", "min", "max", "sum", "count"]
GroupBy = Literal["device", "group", "tag", "none"]

MOST_DEVICES = 10_000
MOST_SERIES = 100
MOST_ROWS = 600_000
"""Rows that one answer may be computed from: 10,000 devices for an hour by minute; seconds of one core."""
_USUAL_PERIOD = 10
"""Seconds between two samples of a device, where samples themselves are read."""
_STEPS = (60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of the chart: `key` is the device's or group's id, the tag, `all`, or empty for devices that are in
    no group or have no tag; `label` is for people. `values` stand beside the answer's `time`.
    """

    key: str
    label: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A chart of many devices."""

    window: Window
    devices: int
    series: Sequence[Series]
    resolution: Resolution


def rows_read(devices: int, window: Window) -> int:
    """About how many rows an answer needs."""
    seconds = (window.end - window.start).total_seconds()
    return round(devices * max(1, seconds / (choose_step(window.step) or _USUAL_PERIOD)))


def fit(window: Window, devices: int, *, chosen: bool) -> Window:
    """The window; its step is made coarser where it was not `chosen` and is too fine for so many devices.

    Raises Invalid (`too_much_to_read`) that names a step which would do.
    """
    if rows_read(devices, window) <= MOST_ROWS:
        return window
    coarser = [step for step in _STEPS if step > window.step and step % window.step == 0]
    windows = [Window(window.start, window.end, step) for step in coarser]
    found = next((one for one in windows if rows_read(devices, one) <= MOST_ROWS), None)
    if found is not None and not chosen:
        return found
    advice = f"Use a step of {found.step} seconds, a shorter time" if found else "Use a shorter time"
    raise Invalid(
        f"For {devices} devices this is about {rows_read(devices, window):,} values to read; at most {MOST_ROWS:,} are "
        f"read at once. {advice}, or fewer devices.",
        code="too_much_to_read",
        fields=[FieldError("step", f"{found.step}" if found else "a shorter time from `from` to `to`")],
    )


def arrange(
    devices: Iterable[Labelled], group_by: GroupBy
) -> tuple[list[tuple[DeviceId, int]], list[tuple[str, str]]]:
    """Who is in which series: pairs of device and series' number, and (key, label) of each series, in order.

    A device with many tags or groups is in many. Raises Invalid (`too_many_series`).
    """
    names: dict[str, str] = {}
    pairs: list[tuple[DeviceId, str]] = []
    for device in devices:
        for key, label in _keys(device, group_by):
            names.setdefault(key, label)
            pairs.append((device.device_id, key))
    if len(names) > MOST_SERIES:
        others = ", ".join(f"`{one}`" for one in ("group", "tag", "none") if one != group_by)
        raise Invalid(
            f"This would be {len(names)} series; at most {MOST_SERIES} are given. Choose fewer devices, or group them "
            f"by {others}.",
            code="too_many_series",
            fields=[FieldError("group_by", f"one that makes at most {MOST_SERIES} series")],
        )
    ordered = sorted(names.items(), key=lambda item: (item[0] == "", item[1].lower(), item[0]))
    numbers = {key: number for number, (key, _) in enumerate(ordered)}
    return [(device_id, numbers[key]) for device_id, key in pairs], ordered


def _keys(device: Labelled, group_by: GroupBy) -> list[tuple[str, str]]:
    nothing = [("", "")]
    match group_by:
        case "device":
            return [(ids.encode(ids.DEVICE, device.device_id), device.name)]
        case "group":
            return [(ids.encode(ids.GROUP, group_id), name) for group_id, name in device.groups] or nothing
        case "tag":
            return [(tag, tag) for tag in device.tags] or nothing
        case "none":
            return [("all", "all")]
