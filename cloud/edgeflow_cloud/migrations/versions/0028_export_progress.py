"""Exports: how far each is, and how many rows it has."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0028"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
