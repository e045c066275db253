"""One registry a process, with what the process itself costs; subsystems add their own metrics to it."""

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(namespace="edgeflow", registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4


def render_metrics() -> bytes:
    """The registry in Prometheus' text format."""
    return prometheus_client.generate_latest(REGISTRY)
