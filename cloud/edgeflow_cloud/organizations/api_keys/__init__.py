"""API keys: how programs come in, each with scopes, perhaps an end, and the time of its last use."""

from edgeflow_cloud.organizations.api_keys.model import KEY_PREFIX, SCOPES, ApiKey, hash_key, permissions_for
from edgeflow_cloud.organizations.api_keys.service import authenticate, is_good

__all__ = ["KEY_PREFIX", "SCOPES", "ApiKey", "authenticate", "hash_key", "is_good", "permissions_for"]
