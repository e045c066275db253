"""Hubs that are alive, and the fence around what a device's connection writes."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0006"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
