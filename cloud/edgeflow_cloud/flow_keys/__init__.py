"""Flow keys: what signs an organization's flows, so that its devices run no others.

Owns: `flow_keys`, and `flow-bundles/…` in the object store.
Promises: an organization has one key that signs, made when it is first needed and kept sealed; a new one is endorsed by
the one before, so that devices follow it and nothing else; a bundle's bytes are canonical, so the same flow in the same
version is the same object; a device gets the keys with its provisioning answer, and may ask again.
Does not do: know which device should run which flow (`shadows`: desired.flows), or check what a flow does.
"""

from edgeflow_cloud.flow_keys.model import FlowKey, SignedBundle
from edgeflow_cloud.flow_keys.schemas import DeviceFlowKey, show_key
from edgeflow_cloud.flow_keys.service import ensure_keys

__all__ = ["DeviceFlowKey", "FlowKey", "SignedBundle", "ensure_keys", "show_key"]
