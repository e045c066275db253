"""Shadows: what people want of a device and what it says of itself, one versioned document a device.

Owns: `shadows`.
Promises: each accepted update raises the version by exactly one, whoever writes at the same time; an update
based on another version changes nothing (409); a change of desired reaches a connected device at once and
an absent one on its return; the document is one that a field client can read: flat metadata, never a null
object.
Does not do: know what a key means, or keep older versions.
"""

from edgeflow_cloud.shadows.model import Shadow, ShadowTooLarge, Side, VersionConflict, render
from edgeflow_cloud.shadows.service import find_shadow, push, update_desired, update_reported

__all__ = [
    "Shadow",
    "ShadowTooLarge",
    "Side",
    "VersionConflict",
    "find_shadow",
    "push",
    "render",
    "update_desired",
    "update_reported",
]
