"""An organization's end and what may come before: suspension, deletion with a grace time, restoration, export."""

from edgeflow_cloud.organizations.lifecycle.service import GRACE, list_all, resume, suspend

__all__ = ["GRACE", "list_all", "resume", "suspend"]
