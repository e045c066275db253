"""What identity gives to the whole: no routes of its own (`auth` has those under /auth)."""

from datetime import timedelta

from edgeflow_cloud.identity.mfa.service import SEALED
from edgeflow_cloud.identity.queries import FORGET_MAIL_LINKS
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="identity",
    retention=(Retention(table="mail_links", keep=timedelta(days=7), statement=FORGET_MAIL_LINKS),),
    sealed=(SEALED,),
)
