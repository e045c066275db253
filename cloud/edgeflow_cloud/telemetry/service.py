"""Reading measurements."""

from edgeflow_cloud import devices
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.model import Window, split_metrics


async def read_metrics(
    tx: Transaction,
    principal: Principal,
    device_id: DeviceId,
    window: Window,
    metrics: tuple[str, ...],
    aggregate: str = "avg",
) -> dict[str, list[float | None]]:
    """One aggregate (avg, min, max) by bucket: `time` (epoch seconds) and one list a metric, None where nothing was
    measured.

    Every bucket of the window is there, so that a chart shows a gap as a gap. Raises NotFound for a device
    that the caller's organization does not have.
    """
    await devices.find_device(tx, principal, device_id)
    names = await queries.select_custom_names(tx, principal.tenant_id, device_id)
    system, custom = split_metrics(metrics, names)
    buckets = window.buckets()
    lists: dict[str, list[float | None]] = {"time": [float(bucket) for bucket in buckets]}
    lists |= {name: [] for name in metrics}  # in the order in which they were asked for
    if system:
        found = await queries.select_values(tx, device_id, window, system, aggregate)
        nothing = (None,) * len(system)
        values = [found.get(bucket, nothing) for bucket in buckets]
        for index, name in enumerate(system):
            lists[name] = [_short(one[index]) for one in values]
    if custom:
        own = await queries.select_custom(tx, device_id, window, custom, aggregate)
        for name in custom:
            lists[name] = [_short(own.get((name, bucket))) for bucket in buckets]
    return lists


async def list_custom_names(tx: Transaction, principal: Principal, device_id: DeviceId) -> list[str]:
    """The names of the values that the device has named itself. Raises NotFound."""
    await devices.find_device(tx, principal, device_id)
    return await queries.select_custom_names(tx, principal.tenant_id, device_id)


def _short(value: float | None) -> float | None:
    """Six significant decimals are more than a sensor has; they halve the answer."""
    return None if value is None else round(value, 6)
