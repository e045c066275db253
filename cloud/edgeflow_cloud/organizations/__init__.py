"""Organizations: tenants, their members, and what each role may do.

Owns: `organizations`, `members`. Promises: `principal_for` is the one place where a person becomes a
Principal with role and permissions; a slug belongs to one organization of the instance. Does not do:
passwords (`identity`), sessions and API keys' secrets. Invitations, role changes, projects and API keys
come in here.
"""

from edgeflow_cloud.organizations.model import (
    PERMISSIONS,
    SLUG,
    Membership,
    Organization,
    permissions_of,
    slug_from,
)
from edgeflow_cloud.organizations.service import create_with_owner, memberships_of, principal_for

__all__ = [
    "PERMISSIONS",
    "SLUG",
    "Membership",
    "Organization",
    "create_with_owner",
    "memberships_of",
    "permissions_of",
    "principal_for",
    "slug_from",
]
