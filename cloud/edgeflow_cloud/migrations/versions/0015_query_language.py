"""What the query language of devices compares versions with, and its indexes over devices' facts."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0015"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
