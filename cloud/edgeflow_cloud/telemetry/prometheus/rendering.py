"""Rows of newest values to Prometheus' text format. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily

from edgeflow_cloud.kernel import ids

MAX_SERIES = 10_000
"""Series in one answer; what is left out is counted in it."""

FAMILIES = {
    "cpu_percent": ("edgeflow_device_cpu_percent", "Processor time used, percent."),
    "memory_percent": ("edgeflow_device_memory_percent", "Memory used, percent."),
    "temperature_celsius": ("edgeflow_device_temperature_celsius", "Temperature of the processor."),
    "disk_percent": ("edgeflow_device_disk_percent", "Space used of all disks together, percent."),
    "load_1": ("edgeflow_device_load1", "Load average of one minute."),
    "uptime_seconds": ("edgeflow_device_uptime_seconds", "Seconds since the device was switched on."),
}
"""Newest value -> the family's name and what it is."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest values of one device; its name is for people and may change, its id never does."""

    device_id: UUID
    name: str
    values: dict[str, float]
    custom: dict[str, float]


class _Families:
    """What `generate_latest` collects."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def render(devices: Iterable[Newest], total: int, limit: int = MAX_SERIES) -> bytes:
    """The text; `total` is how many series there would be without a cap. At most `limit` of them are in it."""
    families = {key: GaugeMetricFamily(*FAMILIES[key], labels=["device_id", "device"]) for key in FAMILIES}
    custom = GaugeMetricFamily(
        "edgeflow_device_custom",
        "A value that the device names itself.",
        labels=["device_id", "device", "metric"],
    )
    room = limit
    for device in devices:
        labels = [ids.encode(ids.DEVICE, device.device_id), device.name]
        for key, value in device.values.items():
            if room > 0:
                families[key].add_metric(labels, value)
                room -= 1
        for key, value in sorted(device.custom.items()):
            if room > 0:
                custom.add_metric([*labels, key], value)
                room -= 1
    dropped = GaugeMetricFamily(
        "edgeflow_series_left_out",
        f"Series of this organization that are not in this answer: it holds at most {limit}.",
        value=max(0, total - (limit - room)),
    )
    registry = CollectorRegistry()
    registry.register(_Families([*(one for one in families.values() if one.samples), custom, dropped]))
    return generate_latest(registry)
