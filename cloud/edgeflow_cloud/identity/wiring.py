"""What identity gives to the whole: nothing but its table yet; its routes are in `auth`."""

from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(name="identity")
