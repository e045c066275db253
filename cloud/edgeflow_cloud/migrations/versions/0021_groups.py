"""Groups of devices, fixed and dynamic; where a device stands; saved searches."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0021"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
