"""Projects: named groups of devices (later of flows too) inside an organization. A device is in at most one."""

from edgeflow_cloud.organizations.projects.service import (
    Project,
    find_projects,
    name_projects,
    no_such_project,
)

__all__ = ["Project", "find_projects", "name_projects", "no_such_project"]
