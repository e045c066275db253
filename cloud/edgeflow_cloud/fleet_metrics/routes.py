"""HTTP of the fleet's measurements."""

from edgeflow_cloud.fleet_metrics import service
from edgeflow_cloud.fleet_metrics.schemas import AskTelemetry, SeriesDocument, TelemetryDocument
from edgeflow_cloud.infra.http import Caller, Ctx, Router, Tx

router = Router(tag="telemetry")


@router.post("/telemetry/query", "devices:view")
async def query_telemetry(tx: Tx, caller: Caller, context: Ctx, body: AskTelemetry) -> TelemetryDocument:
    """One measurement of many devices by step, taken together by device, group, tag, or all in one. At most 10,000
    devices, 100 series and 2,000 points. A step of whole minutes, hours or days is made from what is kept ready of them
    (`resolution`), and its first and last value then count whole ones.
    """
    found = await service.chart(
        tx,
        caller,
        body.target.target(),
        body.metric,
        body.start,
        body.end,
        body.step,
        body.aggregate,
        body.group_by,
        context.clock.now(),
    )
    return TelemetryDocument(
        metric=body.metric,
        start=found.window.start,
        end=found.window.end,
        step=found.window.step,
        aggregate=body.aggregate,
        group_by=body.group_by,
        devices=found.devices,
        resolution=found.resolution,
        time=list(found.window.buckets()),
        series=[SeriesDocument.model_validate(one) for one in found.series],
    )
