"""Runs the agent on a disk that kills the process (SIGKILL) when the credentials are about to be forced to
the disk.
"""

import os
import signal
import sys
from pathlib import Path

from edgeflow_agent import state
from edgeflow_agent.cli import main


class Deadly(state.Disk):
    """The power goes between the cloud's answer and the fsync."""

    def sync(self, path: Path) -> None:
        if path.name == "credentials.new":
            os.kill(os.getpid(), signal.SIGKILL)
        super().sync(path)


state.folder.Disk = Deadly
sys.exit(main(["run"]))
