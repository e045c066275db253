"""What the inventory gives to the whole."""

from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.inventory.routes import router

SUBSYSTEM = Subsystem(name="inventory", routers=[router])
