"""The one-line install of a device: `/install.sh`, and the agent's wheels, from this cloud itself.

A device needs nothing but Python and this cloud: no package index, no second address. The agent's own wheels are
packed from what is installed beside the cloud; what they need is fetched from the package index when the first device
of a kind (machine, Python) asks, and kept in the data folder.
"""

from edgeflow_cloud.app.installer.routes import install_routes

__all__ = ["install_routes"]
