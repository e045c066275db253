"""Reading measurements."""

from edgeflow_cloud import devices
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.model import Window


async def read_metrics(
    tx: Transaction, principal: Principal, device_id: DeviceId, window: Window, metrics: tuple[str, ...]
) -> dict[str, list[float | None]]:
    """Averages by bucket: `time` (epoch seconds) and one list a metric, None where nothing was measured.

    Every bucket of the window is there, so that a chart shows a gap as a gap. Raises NotFound for a device
    that the caller's organization does not have.
    """
    await devices.find_device(tx, principal, device_id)
    found = await queries.select_averages(tx, device_id, window, metrics)
    nothing = (None,) * len(metrics)
    buckets = window.buckets()
    values = [found.get(bucket, nothing) for bucket in buckets]
    lists: dict[str, list[float | None]] = {"time": [float(bucket) for bucket in buckets]}
    for index, name in enumerate(metrics):
        lists[name] = [_short(one[index]) for one in values]
    return lists


def _short(value: float | None) -> float | None:
    """Six significant decimals are more than a sensor has; they halve the answer."""
    return None if value is None else round(value, 6)
