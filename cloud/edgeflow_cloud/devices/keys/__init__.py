"""Keys of devices: which are good, and how one ends."""

from edgeflow_cloud.devices.keys.service import Key, end_key, list_ending_keys, list_good_keys

__all__ = ["Key", "end_key", "list_ending_keys", "list_good_keys"]
