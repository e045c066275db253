"""What the platform measures of its own telemetry path."""

from prometheus_client import Counter, Histogram

from edgeflow_cloud.infra.observability import REGISTRY

STORED = Counter("edgeflow_telemetry_samples", "Samples committed.", registry=REGISTRY)
REFUSED = Counter(
    "edgeflow_telemetry_refused_batches", "Batches that could never be stored.", registry=REGISTRY
)
FLUSHED = Histogram(
    "edgeflow_telemetry_flush_seconds",
    "Time of one flush: cursors, COPY, commit.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
