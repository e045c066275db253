"""Lists of many devices: indexes, and row-level security that the planner understands."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0030"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
