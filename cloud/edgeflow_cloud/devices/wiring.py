"""What the registry gives to the whole."""

from datetime import timedelta

from edgeflow_cloud.devices.groups.routes import router as groups_router
from edgeflow_cloud.devices.keys.queries import DELETE_ENDED_KEYS
from edgeflow_cloud.devices.matching.fields import FIELDS
from edgeflow_cloud.devices.routes import router
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="devices",
    routers=[router, groups_router],
    query_fields=FIELDS,
    # A field client that forgets its key at each start gets a new one each time: the dead ones must not pile up.
    retention=[Retention(table="device_keys", keep=timedelta(days=30), statement=DELETE_ENDED_KEYS)],
    permissions={
        "devices:view": "See devices, their status, shadows, commands and measurements",
        "devices:manage": "Add and change devices, their shadows and codes, and run commands",
        "resources:delete": "Delete devices, flows and deployments",
    },
)
