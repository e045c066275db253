"""What the fleet's measurements give to the whole."""

from edgeflow_cloud.fleet_metrics.routes import router
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(name="fleet_metrics", routers=[router])
