"""What organizations give to the whole."""

from datetime import timedelta

from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.organizations.invitations.queries import FORGET_INVITATIONS
from edgeflow_cloud.organizations.invitations.routes import router as invitations
from edgeflow_cloud.organizations.lifecycle.jobs import SCHEDULE
from edgeflow_cloud.organizations.lifecycle.routes import router as lifecycle
from edgeflow_cloud.organizations.model import PERMISSIONS
from edgeflow_cloud.organizations.projects.routes import router as projects
from edgeflow_cloud.organizations.routes import router

_OWN = ("organization:", "users:", "projects:", "billing:", "resources:")

SUBSYSTEM = Subsystem(
    name="organizations",
    routers=(router, lifecycle, invitations, projects),
    # Roles give every permission, so roles' owner names them; audit names the one of its own route.
    permissions={name: text for name, text in PERMISSIONS.items() if name.startswith(_OWN)},
    schedules=(SCHEDULE,),
    retention=(Retention(table="invitations", keep=timedelta(days=7), statement=FORGET_INVITATIONS),),
)
