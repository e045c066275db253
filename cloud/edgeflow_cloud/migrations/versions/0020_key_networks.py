"""API keys: the addresses from which each may be used."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0020"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
