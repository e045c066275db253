"""Roles and row-level security."""

from edgeflow_cloud.infra.migrate import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)
