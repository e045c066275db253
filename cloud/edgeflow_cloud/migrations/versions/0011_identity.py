"""Identity: proof of mail addresses, MFA, what sessions show; mails."""

from edgeflow_cloud.infra.migrate import previous, run_sql

revision = "0011"
down_revision = previous(__file__)


def upgrade() -> None:
    run_sql(__file__)
