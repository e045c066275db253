"""What a stored sample is, where it stands in time, and which of its numbers can be asked for. Pure."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from msgspec.structs import astuple

from edgeflow_cloud.kernel.errors import FieldError, Invalid
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_protocol.telemetry import Sample

KEEP = timedelta(days=30)
"""How long samples are kept."""
AHEAD = timedelta(days=1)
"""A device's clock may be this much ahead of ours before it is not believed."""
UNSET = datetime(2020, 1, 1, tzinfo=UTC)
"""A device that says it is before this has not set its clock since it was switched on."""
_SPREAD = timedelta(hours=1)

MAX_SAMPLES, MAX_ITEMS, MAX_NAME = 1_000, 256, 512
"""Samples a batch; cores, disks or interfaces a sample; characters of a mount's or interface's name."""

METRICS = (
    "cpu_percent",
    "memory_percent",
    "memory_total_bytes",
    "memory_used_bytes",
    "memory_available_bytes",
    "swap_total_bytes",
    "swap_used_bytes",
    "temperature_celsius",
    "uptime_seconds",
    "load_1",
    "load_5",
    "load_15",
    "flows_total",
    "flows_running",
    "flows_stopped",
    "executions_total",
    "executions_failed",
)
"""The numbers of a sample that have a column of their own, in the columns' order."""
DEFAULT_METRICS = ("cpu_percent", "memory_percent", "temperature_celsius", "load_1")

MAX_CUSTOM_METRICS = 1_000
"""Names of custom metrics that an organization's devices may use together."""
_NAMED = 50

MAX_POINTS, USUAL_POINTS = 2_000, 360
_STEPS = (1, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)

Row = tuple[object, ...]
"""A row in the order of queries.COLUMNS."""


class Refused(ValueError):
    """A batch that can never be stored; the text tells the device's makers why."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One frame of a device, checked and ready to be stored. `rows` may be fewer than `samples`: too old ones go.

    `stream` tells the frames apart that number their batches each for itself: a run is one of them.
    """

    tenant_id: TenantId
    device_id: DeviceId
    boot_id: str
    sequence: int
    rows: list[Row]
    samples: list[Sample]
    custom: list[Row] = field(default_factory=list[Row])
    events: list[Row] = field(default_factory=list[Row])
    lines: list[Row] = field(default_factory=list[Row])
    executions: dict[str, Row] = field(default_factory=dict[str, Row])
    shown: list[tuple[str, object]] = field(default_factory=list[tuple[str, object]])
    """What who looks now is shown: stream and value."""
    stream: str = ""

    @property
    def run(self) -> tuple[TenantId, DeviceId, str]:
        """Whose sequence it is: one stream of one run of one device's agent."""
        return (
            self.tenant_id,
            self.device_id,
            f"{self.stream}:{self.boot_id}" if self.stream else self.boot_id,
        )

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """Its oldest and its newest sample's time; Nones when it has no samples."""
        if len(self.rows) == 1:  # by far the most: a device that is in sends what it has just measured
            time = cast(datetime, self.rows[0][2])
            return time, time
        times = [cast(datetime, row[2]) for row in self.rows]
        return (min(times), max(times)) if times else (None, None)

    @property
    def size(self) -> int:
        """Rows that it is going to be."""
        return len(self.rows) + len(self.custom) + len(self.events) + len(self.lines) + len(self.executions)


def make_batch(
    tenant_id: TenantId,
    device_id: DeviceId,
    boot_id: str,
    sequence: int,
    samples: list[Sample],
    received_at: datetime,
) -> Batch:
    """Check a frame's samples and place them in time. Raises Refused.

    The rule of time: a sample's own time holds if it is not before 2020 and not more than a day ahead of us.
    Samples outside of that are moved so that the newest of them is at `received_at`, the others before it as
    they were, at most an hour; what the device said is kept beside. Samples older than KEEP are let go: they
    would be deleted.
    """
    if len(samples) > MAX_SAMPLES:
        raise Refused(f"The batch holds {len(samples)} samples; at most {MAX_SAMPLES} are taken.")
    latest = received_at + AHEAD
    absurd = [sample.time for sample in samples if sample.time < UNSET or sample.time > latest]
    newest = max(absurd) if absurd else received_at
    oldest = received_at - KEEP
    rows: list[Row] = []
    custom: list[Row] = []
    for sample in samples:
        _check(sample)
        time, said = sample.time, None
        if absurd and (time < UNSET or time > latest):
            said, time = time, received_at - min(newest - time, _SPREAD)
        elif time < oldest:
            continue
        rows.append(_row(tenant_id, device_id, time, received_at, said, sample))
        for name, value in sample.custom.items():
            custom.append((tenant_id, device_id, name, time, received_at, value))
    return Batch(tenant_id, device_id, boot_id, sequence, rows, samples, custom)


def _check(sample: Sample) -> None:
    if max(len(sample.cpu_cores), len(sample.disks), len(sample.networks)) > MAX_ITEMS:
        raise Refused(f"A sample lists more than {MAX_ITEMS} cores, disks or networks.")
    numbers = (
        sample.cpu_percent, sample.memory_percent, sample.temperature_celsius, sample.uptime_seconds,
        sample.load_1, sample.load_5, sample.load_15, *sample.cpu_cores, *sample.custom.values(),
    )  # fmt: skip
    for number in numbers:
        if number is not None and not math.isfinite(number):
            raise Refused("A sample holds a number that is not finite.")
    for core in sample.cpu_cores:
        if abs(core) > 1e9:
            raise Refused("A sample holds a core's load that cannot be a percentage.")
    for name in (*(disk.mount for disk in sample.disks), *(network.interface for network in sample.networks)):
        if len(name) > MAX_NAME or "\0" in name:
            raise Refused(f"The name of a disk or network is longer than {MAX_NAME} characters or holds NUL.")


def _row(
    tenant_id: TenantId,
    device_id: DeviceId,
    time: datetime,
    received_at: datetime,
    said: datetime | None,
    sample: Sample,
) -> Row:
    disks, networks, flows = sample.disks, sample.networks, sample.flows
    return (
        tenant_id,
        device_id,
        time,
        received_at,
        said,
        sample.cpu_percent,
        sample.memory_percent,
        sample.memory_total_bytes,
        sample.memory_used_bytes,
        sample.memory_available_bytes,
        sample.swap_total_bytes,
        sample.swap_used_bytes,
        sample.temperature_celsius,
        sample.uptime_seconds,
        sample.load_1,
        sample.load_5,
        sample.load_15,
        *((None,) * 5 if flows is None else astuple(flows)),
        sample.cpu_cores or None,
        [disk.mount for disk in disks] if disks else None,
        [disk.total_bytes for disk in disks] if disks else None,
        [disk.used_bytes for disk in disks] if disks else None,
        [network.interface for network in networks] if networks else None,
        [network.rx_bytes for network in networks] if networks else None,
        [network.tx_bytes for network in networks] if networks else None,
    )


MINUTES_DAYS, HOURS_DAYS, HISTORY_DAYS = 90, 400, 1_826
"""How long rollups by minute, by hour and by day are kept at most, days."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How long an organization's plan keeps samples, and rollups of them, days."""

    raw_days: int = KEEP.days
    history_days: int = HISTORY_DAYS

    def finest(self, age: timedelta) -> int:
        """The finest step in seconds that there still is of what is so old. A day's samples go whole."""
        if age <= timedelta(days=self.raw_days):
            return 1
        if age <= timedelta(days=MINUTES_DAYS):
            return 60
        return 3_600 if age <= timedelta(days=HOURS_DAYS) else 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time cut into steps of `step` seconds, on whole multiples of the step."""

    start: datetime
    end: datetime
    step: int

    @property
    def first(self) -> int:
        """The first bucket, in epoch seconds."""
        return int(self.start.timestamp()) // self.step * self.step

    def buckets(self) -> range:
        """Every bucket's start, in epoch seconds."""
        return range(self.first, math.ceil(self.end.timestamp()), self.step)


def choose_window(
    start: datetime | None,
    end: datetime | None,
    step: int | None,
    now: datetime,
    kept: Kept | None = None,
) -> Window:
    """The window that was asked for: by default the last hour, in a step that gives at most 360 points.

    Raises Invalid when it ends before it starts, reaches back too far, has more than 2,000 points, or is finer than
    what is kept of its begin.
    """
    kept = kept or Kept()
    end = end or now
    start = start or end - timedelta(hours=1)
    if start >= end:
        raise Invalid("`from` must be before `to`.", fields=[FieldError("from", "a time before `to`")])
    if start < now - timedelta(days=kept.history_days + 1) or start < UNSET:
        raise Invalid(
            f"Measurements are kept for {kept.history_days} days; ask for a later time.",
            fields=[FieldError("from", f"at most {kept.history_days} days ago")],
        )
    seconds = (end - start).total_seconds()
    finest = kept.finest(now - start)
    if step is None:
        fitting = [one for one in _STEPS if one % finest == 0]
        step = next((one for one in fitting if seconds / one <= USUAL_POINTS), _STEPS[-1])
    elif step % finest:
        raise Invalid(
            f"Of this time only values by {finest} seconds are kept. Use a step that is a multiple of {finest}, or a "
            "later `from`.",
            code="step_too_fine",
            fields=[FieldError("step", f"a multiple of {finest}")],
        )
    if seconds / step > MAX_POINTS:
        least = math.ceil(seconds / MAX_POINTS / finest) * finest
        raise Invalid(
            f"This would be {math.ceil(seconds / step)} points; at most {MAX_POINTS} are given. "
            f"Use a step of {least} seconds or more.",
            fields=[FieldError("step", f"{least} or more for this time")],
        )
    return Window(start, end, step)


def choose_metrics(asked: str | None) -> tuple[str, ...]:
    """The names in `a,b,c`, each once; the usual ones when none is named."""
    names = tuple(dict.fromkeys(name.strip() for name in asked.split(",") if name.strip())) if asked else ()
    return names or DEFAULT_METRICS


def split_metrics(names: Sequence[str], custom: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The system metrics and the custom ones among `names`; `custom` are those that there are.

    Raises Invalid that lists the known ones when one is neither.
    """
    for name in names:
        if name not in METRICS and name not in custom:
            known = ", ".join((*METRICS, *sorted(custom)[:_NAMED]))
            raise Invalid(
                f"There is no metric {name[:60]!r}. Known are: {known}.",
                code="unknown_metric",
                fields=[FieldError("metric", f"one or more of {known}, separated by commas")],
            )
    return tuple(name for name in names if name in METRICS), tuple(
        name for name in names if name not in METRICS
    )
