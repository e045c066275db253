"""HTTP of measurements."""

from typing import Annotated, Literal

from fastapi import Query

from edgeflow_cloud.infra.http import Caller, Ctx, Instant, Router, Tx
from edgeflow_cloud.kernel.ids import DeviceIdField
from edgeflow_cloud.telemetry import service
from edgeflow_cloud.telemetry.model import METRICS, choose_metrics, choose_window
from edgeflow_cloud.telemetry.rollups.model import choose_step, name_of
from edgeflow_cloud.telemetry.schemas import MetricName, MetricNames, MetricsDocument

router = Router(tag="telemetry")


@router.get("/devices/{device_id}/metrics", "devices:view")
async def get_device_metrics(
    tx: Tx,
    caller: Caller,
    context: Ctx,
    device_id: DeviceIdField,
    metric: Annotated[
        str | None,
        Query(
            max_length=500,
            description="Names separated by commas; default: processor, memory, temperature, load.",
        ),
    ] = None,
    start: Annotated[
        Instant | None, Query(alias="from", description="RFC 3339; default: an hour before `to`.")
    ] = None,
    end: Annotated[Instant | None, Query(alias="to", description="RFC 3339; default: now.")] = None,
    step: Annotated[
        int | None, Query(ge=1, le=86_400 * 7, description="Seconds; default: what gives about 360 points.")
    ] = None,
    aggregate: Annotated[
        Literal["avg", "min", "max"], Query(description="What stands for a step's values.")
    ] = "avg",
) -> MetricsDocument:
    """A device's measurements by step, its own named values too. Every step of the window is there; null means nothing
    was measured. A step of whole minutes, hours or days is made from what is kept ready of them (`resolution`), and its
    first and last value then count whole ones.
    """
    metrics = choose_metrics(metric)
    window = choose_window(start, end, step, context.clock.now(), await service.kept_of(tx, caller))
    values = await service.read_metrics(tx, caller, device_id, window, metrics, aggregate)
    return MetricsDocument(
        device_id=device_id,
        start=window.start,
        end=window.end,
        step=window.step,
        aggregate=aggregate,
        resolution=name_of(choose_step(window.step)),
        metrics=values,
    )


@router.get("/devices/{device_id}/metrics/names", "devices:view")
async def list_metric_names(tx: Tx, caller: Caller, device_id: DeviceIdField) -> MetricNames:
    """What can be asked of the device: the numbers that every device knows, and those that it named itself."""
    custom = await service.list_custom_names(tx, caller, device_id)
    return MetricNames(
        items=[MetricName(name=name, kind="system") for name in METRICS]
        + [MetricName(name=name, kind="custom") for name in custom]
    )
