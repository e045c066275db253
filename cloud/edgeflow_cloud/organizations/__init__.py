"""Organizations: tenants, their members, and what each role may do.

Owns: `organizations`, `members`, and in folders of their own `invitations`, `projects` and the end of an organization
(`lifecycle`). Promises: `principal_for` is the one place where a person becomes a Principal with permissions; nobody
gives more than they have; an organization has an owner; a removed member or a suspended organization has no effect
after two seconds; a slug belongs to one organization of the instance. Does not do: passwords (`identity`), sessions
(`auth`), keys of programs (`api_keys`), what plans allow (`quotas`).
"""

from edgeflow_cloud.organizations.closing import Closed
from edgeflow_cloud.organizations.closing import refuse as refuse_closed
from edgeflow_cloud.organizations.lifecycle.operator import (
    list_organizations,
    restore_organization,
    resume_organization,
    set_plan_of,
    suspend_organization,
)
from edgeflow_cloud.organizations.lifecycle.service import exports_folder
from edgeflow_cloud.organizations.members import people_of
from edgeflow_cloud.organizations.model import (
    PERMISSIONS,
    SLUG,
    Membership,
    Organization,
    State,
    permissions_of,
    slug_from,
)
from edgeflow_cloud.organizations.projects import find_projects, name_projects, no_such_project
from edgeflow_cloud.organizations.service import (
    closed_among,
    create_with_owner,
    get_organization,
    memberships_of,
    principal_for,
)

__all__ = [
    "PERMISSIONS",
    "SLUG",
    "Closed",
    "Membership",
    "Organization",
    "State",
    "closed_among",
    "create_with_owner",
    "exports_folder",
    "find_projects",
    "get_organization",
    "list_organizations",
    "memberships_of",
    "name_projects",
    "no_such_project",
    "people_of",
    "permissions_of",
    "principal_for",
    "refuse_closed",
    "restore_organization",
    "resume_organization",
    "set_plan_of",
    "slug_from",
    "suspend_organization",
]
