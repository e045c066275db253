"""HTTP bodies of measurements."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from edgeflow_cloud.infra.http import Document
from edgeflow_cloud.kernel.ids import DeviceIdField


class MetricsDocument(Document):
    """Values of one device by step."""

    device_id: DeviceIdField
    start: datetime = Field(serialization_alias="from", description="Where the window begins.")
    end: datetime = Field(serialization_alias="to", description="Where it ends; not in it any more.")
    step: int = Field(description="Seconds that each value stands for.")
    aggregate: Literal["avg", "min", "max"]
    resolution: Literal["raw", "1m", "1h", "1d"] = Field(description="What the values were computed from.")
    metrics: dict[str, list[float | None]] = Field(
        description="`time` holds each step's begin in epoch seconds; null where nothing was measured."
    )


class MetricName(Document):
    """Something that can be asked for as `metric`."""

    name: str
    kind: Literal["system", "custom"]


class MetricNames(Document):
    """What can be asked of one device."""

    items: list[MetricName]
