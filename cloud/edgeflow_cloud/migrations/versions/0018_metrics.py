"""Custom values, flow totals, and the newest values of each device."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0018"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
