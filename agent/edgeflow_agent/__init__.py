"""The program on the device: it provisions, keeps its tunnel, syncs its shadow, answers, and measures.

Composition is in `app`, the command line in `cli`. Each folder below is one concern; only `state` writes
disk.
"""

VERSION = "0.1.0"
"""What `connect`, the shadow and the local API say this agent is."""
