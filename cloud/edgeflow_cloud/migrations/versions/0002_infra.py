"""The outbox, the job queue and its attempts."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0002"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
