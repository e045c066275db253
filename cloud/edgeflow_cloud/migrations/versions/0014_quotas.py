"""Quotas: which plan an organization is on, what it uses, and its calls a day."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0014"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
