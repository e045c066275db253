"""The live socket: what a looking person should fetch again, and samples of the devices they watch.

Owns: `/live` and its one-use tickets. Promises: only the caller's organization, a bounded queue (a slow page
is told to fetch everything again instead of growing the server), an end with the session. Does not do: carry
data that could not be fetched.
"""

from edgeflow_cloud.app.live.routes import router
from edgeflow_cloud.app.live.socket import serve_live

__all__ = ["router", "serve_live"]
