"""Provisioning: one-time codes, and the devices that they bring in.

Owns: `provisioning_codes`, `released_devices`.
Promises: a code makes one device, however many show it at once; the same hardware may show its code again
until its re-claim window ends (24 h after the device first negotiated), and gets a fresh key while the old
one dies; every other code gets one and the same refusal, in the same time, limited per address; only a keyed
hash of a code is kept. A device that an organization lets go waits for whoever holds its code, bare of all that the
organization knew of it.
Does not do: make devices by hand or rotate keys (`devices`), let a device in (`tunnel`).
"""

from edgeflow_cloud.provisioning.creation import Defaults, create_codes
from edgeflow_cloud.provisioning.model import CodeRefused, CodeStatus, ProvisioningCode
from edgeflow_cloud.provisioning.service import Claim, claim, find_code, list_codes

__all__ = [
    "Claim",
    "CodeRefused",
    "CodeStatus",
    "Defaults",
    "ProvisioningCode",
    "claim",
    "create_codes",
    "find_code",
    "list_codes",
]
