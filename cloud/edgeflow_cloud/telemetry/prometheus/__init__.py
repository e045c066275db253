"""An organization's devices in Prometheus' text format: the newest values, capped, and said when capped."""
