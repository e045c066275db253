"""Rollups of samples at a minute, an hour and a day."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0024"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
