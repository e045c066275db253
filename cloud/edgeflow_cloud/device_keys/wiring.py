"""What keys of devices give to the whole."""

from edgeflow_cloud.device_keys.findings import find_overlap
from edgeflow_cloud.device_keys.routes import router
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(name="device_keys", routers=[router], findings=[find_overlap])
