"""History of shadows: what was said, by whom, and the way back."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0023"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
