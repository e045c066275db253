"""API keys: the look-ups of a release that never was."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0029"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
