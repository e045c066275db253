"""What the shortcuts give to the whole."""

from edgeflow_cloud.edge_nodes.routes import router
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(name="edge_nodes", routers=[router])
