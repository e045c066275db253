"""Flow keys: what signs the flows of one organization."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0026"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
