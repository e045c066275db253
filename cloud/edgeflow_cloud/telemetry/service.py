"""Reading measurements."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud import devices, quotas
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.model import METRICS, Kept, Window, split_metrics
from edgeflow_cloud.telemetry.rollups import queries as rollups
from edgeflow_cloud.telemetry.rollups.model import Scope, choose_step, floor, widen


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
    step, tenant_id = choose_step(window.step), principal.tenant_id
    wide = widen(window, step)
    scope = Scope([device_id], await _tails(tx, [device_id], wide, step), [0])
    if system:
        rows = await rollups.select_system(tx, tenant_id, scope, wide, system, aggregate, step)
        found = {row["bucket"]: tuple(row)[2:] for row in rows}
        nothing = (None,) * len(system)
        values = [found.get(bucket, nothing) for bucket in buckets]
        for index, name in enumerate(system):
            lists[name] = [_short(one[index]) for one in values]
    if custom:
        rows = await rollups.select_custom(tx, tenant_id, scope, wide, custom, aggregate, step)
        own = {(row["name"], row["bucket"]): row["value"] for row in rows}
        for name in custom:
            lists[name] = [_short(own.get((name, bucket))) for bucket in buckets]
    return lists


async def read_together(
    tx: Transaction,
    principal: Principal,
    members: Sequence[tuple[DeviceId, int]],
    window: Window,
    metric: str,
    aggregate: str,
) -> dict[int, list[float | None]]:
    """One metric of many devices, those with the same key taken together: key -> a value a bucket.

    Every sample weighs the same: an average is the sum by the count, however many samples a device has. A bucket
    without a sample is None, for `count` 0. Keys without any sample are absent. Raises Invalid (`unknown_metric`).
    """
    device_ids, tenant_id = [device_id for device_id, _ in members], principal.tenant_id
    names = (
        () if metric in METRICS else await queries.select_common_names(tx, tenant_id, sorted(set(device_ids)))
    )
    _, custom = split_metrics((metric,), names)
    step = choose_step(window.step)
    wide = widen(window, step)
    scope = Scope(device_ids, await _tails(tx, device_ids, wide, step), [key for _, key in members])
    read = rollups.select_custom if custom else rollups.select_system
    found: dict[int, dict[int, float | None]] = {}
    for row in await read(tx, tenant_id, scope, wide, (metric,), aggregate, step):
        found.setdefault(row["key"], {})[row["bucket"]] = row[-1]
    nothing = 0.0 if aggregate == "count" else None
    buckets = window.buckets()
    return {key: [_short(values.get(one, nothing)) for one in buckets] for key, values in found.items()}


async def kept_of(tx: Transaction, principal: Principal) -> Kept:
    """How long the caller's organization keeps samples and rollups."""
    plan = await quotas.plan_of(tx, principal.tenant_id)
    return Kept(plan.raw_days, plan.history_days)


async def _tails(
    tx: Transaction, device_ids: Sequence[DeviceId], window: Window, step: int
) -> list[datetime]:
    """Of each device from when on its samples must be read, for rollups of `step` do not know all yet."""
    if not step:
        return [window.start] * len(device_ids)
    since = await rollups.select_unrolled(tx, device_ids)
    return [floor(since[one], step) if one in since else window.end for one in device_ids]


async def list_custom_names(tx: Transaction, principal: Principal, device_id: DeviceId) -> list[str]:
    """The names of the values that the device has named itself. Raises NotFound."""
    await devices.find_device(tx, principal, device_id)
    return await queries.select_custom_names(tx, principal.tenant_id, device_id)


def _short(value: float | None) -> float | None:
    """Six significant decimals are more than a sensor has; they halve the answer."""
    return None if value is None else round(value, 6)
