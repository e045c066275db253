"""API keys: the projects that each is limited to, held by row-level security."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0027"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
