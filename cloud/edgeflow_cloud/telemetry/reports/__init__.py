"""What devices tell of their work: executions of flows with their nodes, events, log lines.

Owns: `executions`, `device_events`, `device_logs`. They come by the same road as samples (one ingest, one cursor a
stream, acknowledged after the commit).
"""
