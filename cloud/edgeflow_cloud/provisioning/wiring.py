"""What provisioning gives to the whole."""

from datetime import timedelta

from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.provisioning.findings import explain_code
from edgeflow_cloud.provisioning.queries import DELETE_EXPIRED_CODES, DELETE_UNCLAIMED
from edgeflow_cloud.provisioning.routes import router

SUBSYSTEM = Subsystem(
    name="provisioning",
    routers=[router],
    findings=[explain_code],
    retention=[
        # Used codes go with their device: until then its hardware may have to show them again.
        Retention(table="provisioning_codes", keep=timedelta(days=30), statement=DELETE_EXPIRED_CODES),
        Retention(table="released_devices", keep=timedelta(days=1), statement=DELETE_UNCLAIMED),
    ],
)
