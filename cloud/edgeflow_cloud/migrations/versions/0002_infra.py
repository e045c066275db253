"""The outbox, the job queue and its attempts."""

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

from edgeflow_cloud.infra.jobs.queries import SETTINGS
from edgeflow_cloud.infra.migrate import previous, run_sql, run_text

revision = "0002"
down_revision = previous(__file__)


def upgrade() -> None:
    # pgqueuer makes its own tables: what it needs is its business, and changes with its version.
    run_text(QueryBuilderEnvironment(SETTINGS).build_install_query())
    run_sql(__file__)
