"""PostgreSQL, Valkey and an S3 store out of their wheels, as children of this process, in one data folder.

Owns: `DATA_DIR/{postgres,valkey,objects,run,log,lock}`. Promises: every part listens on a unix socket or on
loopback and refuses strangers; what an earlier run left behind (processes, pid files, sockets) is found and
cleared; ending takes bounded time. Does not: migrate, know what is stored.
"""

from edgeflow_cloud.infra.embedded.addresses import running_at
from edgeflow_cloud.infra.embedded.errors import AlreadyRunning, PartFailed
from edgeflow_cloud.infra.embedded.parts import Credentials, Part, Parts, parts_for, start_for_tests

__all__ = [
    "AlreadyRunning",
    "Credentials",
    "Part",
    "PartFailed",
    "Parts",
    "parts_for",
    "running_at",
    "start_for_tests",
]
