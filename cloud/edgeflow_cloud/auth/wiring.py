"""What auth gives to the whole."""

from datetime import timedelta

from edgeflow_cloud.auth.mails import SEND_RESET, SEND_VERIFICATION
from edgeflow_cloud.auth.queries import FORGET_SESSIONS
from edgeflow_cloud.auth.routes import router
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="auth",
    routers=(router,),
    jobs=(SEND_VERIFICATION, SEND_RESET),
    retention=(Retention(table="sessions", keep=timedelta(days=30), statement=FORGET_SESSIONS),),
)
