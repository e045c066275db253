"""What the platform says about itself: logs with context and without secrets, metrics in Prometheus' format.

Owns: the process-wide structlog configuration and one metrics registry.
"""

from edgeflow_cloud.infra.observability.logs import bind, configure_logs, unbind
from edgeflow_cloud.infra.observability.metrics import REGISTRY, render_metrics
from edgeflow_cloud.infra.observability.redaction import redact

__all__ = ["REGISTRY", "bind", "configure_logs", "redact", "render_metrics", "unbind"]
