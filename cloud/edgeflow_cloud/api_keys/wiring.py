"""What API keys give to the whole."""

from edgeflow_cloud.api_keys.routes import router
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="api_keys",
    routers=(router,),
    permissions={
        "api_keys:view": "See which API keys there are",
        "api_keys:manage": "Make and revoke API keys",
    },
)
