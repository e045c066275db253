"""Devices whose key seems to be in two boxes; the group that a code names."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0022"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
