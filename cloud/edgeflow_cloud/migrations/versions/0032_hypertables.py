"""Hypertables where the server has TimescaleDB."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0032"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
