"""The fleet's chart: who is meant, in which series, and the values."""

from datetime import datetime

from edgeflow_cloud import devices, telemetry
from edgeflow_cloud.fleet_metrics.model import (
    MOST_DEVICES,
    Aggregate,
    Answer,
    GroupBy,
    Series,
    arrange,
    fit,
)
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.errors import FieldError, Invalid
from edgeflow_cloud.kernel.principal import Principal


async def chart(
    tx: Transaction,
    principal: Principal,
    target: devices.Target,
    metric: str,
    start: datetime | None,
    end: datetime | None,
    step: int | None,
    aggregate: Aggregate,
    group_by: GroupBy,
    now: datetime,
) -> Answer:
    """One metric of the target's devices by step.

    Raises QueryInvalid, NotFound (`group_not_found`), Invalid (`unknown_metric`, `target_too_large`,
    `too_many_series`, `too_much_to_read`, `step_too_fine`).
    """
    window = telemetry.choose_window(start, end, step, now, await telemetry.kept_of(tx, principal))
    found = await devices.label_target(
        tx, principal, target, limit=MOST_DEVICES + 1, dynamic=group_by == "group"
    )
    if len(found) > MOST_DEVICES:
        raise Invalid(
            f"The target holds more than {MOST_DEVICES:,} devices; at most so many are charted at once. Name fewer, by "
            "a group, tags or a query.",
            code="target_too_large",
            fields=[FieldError("target", f"at most {MOST_DEVICES:,} devices")],
        )
    members, series = arrange(found, group_by)
    window = fit(window, len(members), chosen=step is not None)
    values = await telemetry.read_together(tx, principal, members, window, metric, aggregate)
    empty = [0.0 if aggregate == "count" else None] * len(window.buckets())
    return Answer(
        window,
        len(found),
        [Series(key, label, values.get(number, empty)) for number, (key, label) in enumerate(series)],
        telemetry.name_of(telemetry.choose_step(window.step)),
    )
