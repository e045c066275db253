"""HTTP bodies of the fleet's measurements."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from edgeflow_cloud.devices import TargetBody
from edgeflow_cloud.fleet_metrics.model import Aggregate, GroupBy
from edgeflow_cloud.infra.http import Body, Document, Instant
from edgeflow_cloud.telemetry import Resolution


class AskTelemetry(Body):
    """Which devices, which of their measurements, when, and how they are taken together."""

    target: TargetBody
    metric: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="One name: those of every device, such as `cpu_percent`, and those that devices name themselves."
    )
    start: Instant | None = Field(None, alias="from", description="Default: an hour before `to`.")
    end: Instant | None = Field(None, alias="to", description="Default: now.")
    step: Annotated[int, Field(ge=1, le=86_400 * 7)] | None = Field(
        None, description="Seconds; default: what gives about 360 points, coarser for many devices."
    )
    aggregate: Aggregate = Field(
        "avg", description="What stands for all values of a step; each sample weighs the same."
    )
    group_by: GroupBy = Field(
        "none", description="What has a line of its own; `none`: all devices are one line."
    )


class SeriesDocument(Document):
    """One line of the chart."""

    key: str = Field(
        description="Id of the device or group, the tag, `all`; empty for devices without a group or tag."
    )
    label: str = Field(description="Name of the device or group, the tag; empty when `key` is.")
    values: list[float | None] = Field(
        description="One for each `time`; null where nothing was measured (0 for `count`)."
    )


class TelemetryDocument(Document):
    """One metric of many devices by step."""

    metric: str
    start: datetime = Field(serialization_alias="from", description="Where the window begins.")
    end: datetime = Field(serialization_alias="to", description="Where it ends; not in it any more.")
    step: int = Field(description="Seconds that each value stands for.")
    aggregate: Aggregate
    group_by: GroupBy
    devices: int = Field(description="How many devices the target names.")
    resolution: Resolution = Field(description="What the values were computed from.")
    time: list[int] = Field(description="Each step's begin, epoch seconds.")
    series: list[SeriesDocument] = Field(description="By label; a device may be in several.")
