"""Provisioning codes."""

from edgeflow_cloud.infra.migrate import run_sql

revision = "0007"
down_revision = "0005"


def upgrade() -> None:
    run_sql(__file__)
