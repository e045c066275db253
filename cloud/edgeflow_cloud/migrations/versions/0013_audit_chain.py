"""The audit log's chain: seals, what waits for one, and signed checkpoints."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0013"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
