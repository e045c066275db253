"""API keys: how programs come in, each with scopes, perhaps an end, and the time of its last use.

Owns: `api_keys`. Promises: a key is shown once and kept as a hash; it permits what its scopes say and nothing more;
nobody gives a key more than they have; one that is bound to addresses opens nothing from elsewhere; to one that is
limited to projects, what lies elsewhere is missing in every subsystem, by row-level security; a revoked one is dead at
once, for it is looked up at every call; the last use is noted at most once a minute. Does not do: keys of devices
(`devices`), the roles of people (`organizations`).
"""

from edgeflow_cloud.api_keys.model import KEY_PREFIX, SCOPES, ApiKey
from edgeflow_cloud.api_keys.service import authenticate, find_names, is_good

__all__ = ["KEY_PREFIX", "SCOPES", "ApiKey", "authenticate", "find_names", "is_good"]
