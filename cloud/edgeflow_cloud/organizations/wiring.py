"""What organizations give to the whole."""

from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.organizations.model import PERMISSIONS
from edgeflow_cloud.organizations.routes import router

SUBSYSTEM = Subsystem(
    name="organizations",
    routers=(router,),
    # Roles give every permission, so roles' owner names them; audit names the one of its own route.
    permissions={
        name: text for name, text in PERMISSIONS.items() if name.startswith(("organization:", "users:"))
    },
)
