"""Codes in batches and projects; devices that left their organization."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0016"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
