"""HTTP of the scrape."""

from datetime import timedelta

from fastapi.responses import Response

from edgeflow_cloud.devices import Target, label_target
from edgeflow_cloud.infra.http import Caller, Ctx, Router, Tx
from edgeflow_cloud.infra.observability.metrics import CONTENT_TYPE
from edgeflow_cloud.telemetry.prometheus import queries
from edgeflow_cloud.telemetry.prometheus.rendering import FAMILIES, MAX_SERIES, Newest, render

router = Router(tag="telemetry")
FRESH = timedelta(minutes=5)
"""A device that has measured nothing for so long is not in the answer, as Prometheus wants it."""


class ExpositionResponse(Response):
    """Prometheus' text format."""

    media_type = CONTENT_TYPE


@router.get(
    "/prometheus",
    "devices:view",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def scrape_devices(tx: Tx, caller: Caller, context: Ctx) -> ExpositionResponse:
    """The newest values of the organization's devices in Prometheus' text format, for an API key with
    `devices:read`. At most 10,000 series; `edgeflow_series_left_out` says how many there were no room for.
    """
    since = context.clock.now() - FRESH
    rows = await queries.select_newest(tx, caller.tenant_id, since, MAX_SERIES)
    target = Target(device_ids=tuple(row["device_id"] for row in rows))
    names = {one.device_id: one.name for one in await label_target(tx, caller, target, limit=MAX_SERIES)}
    found = [
        Newest(
            row["device_id"],
            names.get(row["device_id"], ""),
            {key: row[key] for key in FAMILIES if row[key] is not None},
            row["custom"],
        )
        for row in rows
    ]
    total = await queries.count_series(tx, caller.tenant_id, since)
    return ExpositionResponse(render(found, total))
