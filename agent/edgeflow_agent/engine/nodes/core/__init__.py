"""The core types: what a flow is built of on any device."""
