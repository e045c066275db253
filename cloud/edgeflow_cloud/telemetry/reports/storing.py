"""The rows of reports, written in the transaction of the flush that they came with."""

from collections.abc import Sequence

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.telemetry.model import Batch, Row
from edgeflow_cloud.telemetry.reports import queries
from edgeflow_cloud.telemetry.reports.model import STATUS


async def store_reports(tx: Transaction, batches: Sequence[Batch]) -> None:
    """Write what the batches hold of executions, events and lines."""
    if events := [row for batch in batches for row in batch.events]:
        await queries.insert_events(tx, events)
    if lines := [row for batch in batches for row in batch.lines]:
        await queries.copy_lines(tx, lines)
    executions: dict[tuple[object, ...], Row] = {}
    for batch in batches:  # in the order of their sequence: one statement may meet a key once
        for row in batch.executions.values():
            known = executions.get(row[:3])
            if known is None or known[STATUS] == "running":
                executions[row[:3]] = row
    if executions:
        await queries.upsert_executions(tx, list(executions.values()))
