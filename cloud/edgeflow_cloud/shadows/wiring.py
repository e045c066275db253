"""What shadows give to the whole."""

from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.shadows.device import DEVICE_SIDE
from edgeflow_cloud.shadows.fields import FIELDS
from edgeflow_cloud.shadows.findings import explain_shadow
from edgeflow_cloud.shadows.history.routes import router as history_router
from edgeflow_cloud.shadows.history.service import KEEP, forget_old
from edgeflow_cloud.shadows.routes import router

SUBSYSTEM = Subsystem(
    name="shadows",
    routers=[router, history_router],
    device=DEVICE_SIDE,
    query_fields=FIELDS,
    findings=[explain_shadow],
    retention=[Retention(table="shadow_history", keep=KEEP, statement=forget_old)],
)
