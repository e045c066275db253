"""Background work: letting old archives go. Writing one is in `writing`."""

from datetime import timedelta
from typing import Final

from edgeflow_cloud.exports import queries
from edgeflow_cloud.exports.model import LIFE
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import Job, Schedule

_PATIENCE: Final = timedelta(hours=8)  # an export's job has been tried and parked long before


async def tidy(context: Context, payload: dict[str, object]) -> None:
    """Job: remove old archives; give up those that never came."""
    now = context.clock.now()
    async with context.db.system_tx("exports that never came") as tx:
        await queries.give_up_exports(tx, now - _PATIENCE, now)
    old = [blob.key async for blob in context.blobs.keys("exports") if blob.changed_at < now - LIFE]
    for key in old:
        await context.blobs.delete(key)


TIDY = Job(name="exports.tidy", handler=tidy, timeout=timedelta(minutes=10), concurrency=1)
SCHEDULE = Schedule(name="tidy exports", job=TIDY, every=timedelta(hours=1))
