"""What can go wrong with the state folder, as sentences that say what to do."""

from __future__ import annotations

import errno
from pathlib import Path


class StateError(Exception):
    """The state folder cannot be used as asked. `str(error)` is a sentence for people."""


class StoreUnreadable(StateError):
    """The credential store exists but does not open: changed by somebody, copied from elsewhere, or its key
    is gone.
    """


def explain(error: OSError, path: Path, doing: str) -> StateError:
    """The StateError for an operating system error met while `doing` (for example "write") something to
    `path`.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StateError(f"The disk is full: could not {doing} {path}. Free some space and start again.")
    if error.errno == errno.EROFS:
        return StateError(
            f"The disk is read-only: could not {doing} {path}. "
            "Remount it writable, or set EDGEFLOW_AGENT_DIR to a folder that can be written."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return StateError(
            f"No permission to {doing} {path}. "
            "Run the agent as the folder's owner, or set EDGEFLOW_AGENT_DIR to a folder of your own."
        )
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return StateError(f"Could not {doing} {path}: a file is in the place of a folder. Move it away.")
    return StateError(f"Could not {doing} {path}: {error.strerror or error}.")
