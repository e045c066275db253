"""Invitations: a mail with a link, good once and for some days, that makes its reader a member."""

from edgeflow_cloud.organizations.invitations.model import Invitation

__all__ = ["Invitation"]
