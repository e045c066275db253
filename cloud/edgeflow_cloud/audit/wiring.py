"""What the audit log gives to the whole."""

from edgeflow_cloud.audit.jobs import MAKE_CHECKPOINTS, SCHEDULES
from edgeflow_cloud.audit.routes import router
from edgeflow_cloud.audit.sealer import run_sealer
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="audit",
    routers=[router],
    permissions={"audit:view": "Read the organization's audit log"},
    works={"audit sealer": run_sealer},
    jobs=[MAKE_CHECKPOINTS],
    schedules=SCHEDULES,
)
