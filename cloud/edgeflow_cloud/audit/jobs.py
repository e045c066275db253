"""What the audit log does in the background: checkpoints. The sealer is no job: it may not wait for its turn."""

from datetime import timedelta

from edgeflow_cloud.audit.checkpoints import make_due_checkpoints
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import Job, Schedule


async def _make_checkpoints(context: Context, payload: dict[str, object]) -> None:
    await make_due_checkpoints(context)


MAKE_CHECKPOINTS = Job(name="audit.make_checkpoints", handler=_make_checkpoints, attempts=1, concurrency=1)
SCHEDULES = (Schedule(name="audit.checkpoints", job=MAKE_CHECKPOINTS, every=timedelta(seconds=10)),)
