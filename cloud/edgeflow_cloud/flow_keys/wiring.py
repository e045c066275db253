"""What flow keys give to the whole."""

from edgeflow_cloud.flow_keys.routes import router
from edgeflow_cloud.flow_keys.service import SEALED
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="flow_keys",
    routers=(router,),
    permissions={
        "flows:view": "See flows and deployments",
        "flows:manage": "Change and deploy flows",
    },
    sealed=(SEALED,),
)
