"""What saved searches give to the whole."""

from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.saved_searches.routes import router

SUBSYSTEM = Subsystem(name="saved_searches", routers=[router])
