"""What the registry gives to the whole."""

from edgeflow_cloud.devices.routes import router
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="devices",
    routers=[router],
    permissions={
        "devices:view": "See devices, their status, shadows, commands and measurements",
        "devices:manage": "Add and change devices, their shadows and codes, and run commands",
        "resources:delete": "Delete devices, flows and deployments",
    },
)
