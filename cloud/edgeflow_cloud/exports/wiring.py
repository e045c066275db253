"""What exports give to the whole."""

from edgeflow_cloud.exports.jobs import SCHEDULE
from edgeflow_cloud.exports.model import LIFE
from edgeflow_cloud.exports.queries import FORGET_EXPORTS
from edgeflow_cloud.exports.routes import router
from edgeflow_cloud.exports.writing import EXPORT
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem

SUBSYSTEM = Subsystem(
    name="exports",
    routers=(router,),
    jobs=(EXPORT,),
    schedules=(SCHEDULE,),
    retention=(Retention(table="organization_exports", keep=LIFE, statement=FORGET_EXPORTS),),
)
