"""Jobs: work that outlives a request, in PostgreSQL, by pgqueuer.

Owns: the schema `jobs` (pgqueuer's tables, `attempts`, `schedules`).
Promises: a job enqueued in a transaction exists if and only if that transaction committed; it runs at least
once, so handlers are idempotent; a run is counted and committed before its body starts; after `Job.attempts`
runs that failed or killed their worker the job is parked (`parked`, `retry_parked`); the job of a worker
killed by -9 runs again within 45 seconds; a schedule's slot is enqueued once, whatever the number of workers.
Does not do: order between jobs, or long state machines (a rollout is its own table).
"""

from edgeflow_cloud.infra.jobs.model import Handler, Job, ParkedJob, Schedule
from edgeflow_cloud.infra.jobs.queries import JobId, enqueue, parked, retry_parked
from edgeflow_cloud.infra.jobs.runner import JobRunner

__all__ = [
    "Handler",
    "Job",
    "JobId",
    "JobRunner",
    "ParkedJob",
    "Schedule",
    "enqueue",
    "parked",
    "retry_parked",
]
