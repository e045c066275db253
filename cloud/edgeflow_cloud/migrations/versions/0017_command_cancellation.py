"""Commands that were wanted back while they were on their way."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0017"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
