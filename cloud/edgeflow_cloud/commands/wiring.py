"""What commands give to the whole."""

from datetime import timedelta

from edgeflow_cloud.commands.device import DEVICE_SIDE
from edgeflow_cloud.commands.fields import FIELDS
from edgeflow_cloud.commands.findings import explain_commands
from edgeflow_cloud.commands.jobs import SCHEDULE, SWEEP
from edgeflow_cloud.commands.queries import DELETE_OLD_COMMANDS
from edgeflow_cloud.commands.routes import router
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="commands",
    routers=[router],
    device=DEVICE_SIDE,
    jobs=[SWEEP],
    schedules=[SCHEDULE],
    query_fields=FIELDS,
    findings=[explain_commands],
    retention=[Retention(table="commands", keep=timedelta(days=30), statement=DELETE_OLD_COMMANDS)],
)
