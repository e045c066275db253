"""Why a device is as it is: findings, each by the subsystem that knows (`Subsystem.findings`).

Owns no table. Promises: everybody who knows something is asked, and what needs somebody comes first. Does not do: say
anything itself but whether the device's tunnel is open.
"""

from edgeflow_cloud.explanations.findings import FINDERS, Finder, Finding, State

__all__ = ["FINDERS", "Finder", "Finding", "State"]
