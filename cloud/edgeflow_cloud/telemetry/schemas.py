"""HTTP bodies of measurements."""

from datetime import datetime

from pydantic import Field

from edgeflow_cloud.infra.http import Document
from edgeflow_cloud.kernel.ids import DeviceIdField


class MetricsDocument(Document):
    """Averages of one device by step."""

    device_id: DeviceIdField
    start: datetime = Field(serialization_alias="from", description="Where the window begins.")
    end: datetime = Field(serialization_alias="to", description="Where it ends; not in it any more.")
    step: int = Field(description="Seconds that each value is the average of.")
    metrics: dict[str, list[float | None]] = Field(
        description="`time` holds each step's begin in epoch seconds; null where nothing was measured."
    )
