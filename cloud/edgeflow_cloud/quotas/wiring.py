"""What quotas give to the whole. Their one route, the usage, is under /organizations."""

from datetime import timedelta

from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.quotas import queries
from edgeflow_cloud.quotas.meter import fold

_FOLD = Job(name="quotas.fold_calls", handler=fold, timeout=timedelta(minutes=1))

SUBSYSTEM = Subsystem(
    name="quotas",
    schedules=(Schedule(name="fold api calls", job=_FOLD, every=timedelta(minutes=1)),),
    retention=(Retention(table="api_calls", keep=timedelta(days=400), statement=queries.DELETE_OLD_CALLS),),
)
