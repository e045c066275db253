"""Executions, device events and logs."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0019"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
