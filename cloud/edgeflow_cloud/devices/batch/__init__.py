"""Many devices entered or changed in one transaction, a statement for all of them."""

from edgeflow_cloud.devices.batch.service import Entry, create_devices, lock_devices, update_devices

__all__ = ["Entry", "create_devices", "lock_devices", "update_devices"]
