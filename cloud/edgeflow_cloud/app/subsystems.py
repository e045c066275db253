"""The list of subsystems, low to high. A subsystem that is not here does not exist."""

from edgeflow_cloud.audit.wiring import SUBSYSTEM as AUDIT
from edgeflow_cloud.devices.wiring import SUBSYSTEM as DEVICES
from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.provisioning.wiring import SUBSYSTEM as PROVISIONING

SUBSYSTEMS: tuple[Subsystem, ...] = (
    AUDIT,
    DEVICES,
    PROVISIONING,
)
