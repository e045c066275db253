"""What the agent must find again: atomic files, encrypted credentials, one database. The only code that
writes disk.
"""

from .database import Database
from .disk import Disk, write_atomic
from .errors import StateError, StoreUnreadable
from .folder import FolderBusy, StateFolder
from .vault import Credentials, Vault, read_machine_id

__all__ = [
    "Credentials",
    "Database",
    "Disk",
    "FolderBusy",
    "StateError",
    "StateFolder",
    "StoreUnreadable",
    "Vault",
    "read_machine_id",
    "write_atomic",
]
