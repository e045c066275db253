"""What explanations give to the whole."""

from edgeflow_cloud.explanations.routes import router
from edgeflow_cloud.explanations.service import find_connection
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(name="explanations", routers=[router], findings=[find_connection])
