"""The outbox, the job queue and its attempts."""

from edgeflow_cloud.infra.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql(__file__)
