"""The outbox, the job queue and its attempts."""

from pgqueuer.adapters.persistence.qb import DBSettings, QueryBuilderEnvironment
from pgqueuer.domain.types import Channel
from pgqueuer.types import Channel

from edgeflow_cloud.infra.migrate import previous, run_sql, run_text

revision = "0002"
down_revision = previous(__file__)


def upgrade() -> None:
    # pgqueuer makes its own tables: what it needs is its business, and changes with its version.
    settings = DBSettings(db_schema="jobs", channel=Channel("jobs"))
    run_text(QueryBuilderEnvironment(settings).build_install_query())
    run_sql(__file__)
