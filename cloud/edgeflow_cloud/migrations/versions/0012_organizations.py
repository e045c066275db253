"""Organizations, second part: API keys, invitations, projects, suspension, deletion, exports."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0012"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
