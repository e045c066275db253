"""The registry: which devices there are, what they say of themselves, who is connected, and their keys.

Owns: `devices`, `device_presence`, `device_keys`. Promises: a device belongs to one organization; its key is shown
once and kept as a hash; presence never goes back to an older connection (epoch). Does not do: talk to devices.
"""

from edgeflow_cloud.devices import batch, keys, presence, suspicions
from edgeflow_cloud.devices.callers import name_callers
from edgeflow_cloud.devices.groups.service import change_members, find_groups
from edgeflow_cloud.devices.keys.service import list_ending_keys
from edgeflow_cloud.devices.matching.labels import Labelled, label_target
from edgeflow_cloud.devices.matching.queries import SORTS
from edgeflow_cloud.devices.matching.service import require_sound, resolve_target
from edgeflow_cloud.devices.model import (
    LIMITS,
    Arrival,
    Device,
    Fence,
    Filter,
    Place,
    Sighting,
    Sort,
    Status,
    Target,
    hash_key,
    no_such_device,
)
from edgeflow_cloud.devices.schemas import TargetBody
from edgeflow_cloud.devices.service import (
    authenticate_key,
    authenticate_many,
    create_device,
    delete_device,
    find_device,
    list_devices,
    record_facts,
    rotate_key,
)

__all__ = [
    "LIMITS",
    "SORTS",
    "Arrival",
    "Device",
    "Fence",
    "Filter",
    "Labelled",
    "Place",
    "Sighting",
    "Sort",
    "Status",
    "Target",
    "TargetBody",
    "authenticate_key",
    "authenticate_many",
    "batch",
    "change_members",
    "create_device",
    "delete_device",
    "find_device",
    "find_groups",
    "hash_key",
    "keys",
    "label_target",
    "list_devices",
    "list_ending_keys",
    "name_callers",
    "no_such_device",
    "presence",
    "record_facts",
    "require_sound",
    "resolve_target",
    "rotate_key",
    "suspicions",
]
