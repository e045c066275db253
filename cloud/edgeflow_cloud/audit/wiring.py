"""What the audit log gives to the whole."""

from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="audit",
    permissions={"audit:view": "Read the organization's audit log"},
)
