"""Run a command while no other one of this checkout does: `python tools/alone.py COMMAND…`.

Two makes at once, in two terminals, would otherwise fill one .venv or one node_modules and leave neither whole.
"""

import fcntl
import os
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / ".make" / "lock"


def main() -> None:
    LOCK.parent.mkdir(exist_ok=True)
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    os.set_inheritable(descriptor, True)  # the command holds the lock as long as it lives
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
