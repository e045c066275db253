"""A worker in a process of its own, for tests that kill it: `python worker.py DATABASE_URL FOLDER MODE`.

Each run of the job appends a line to FOLDER/runs. MODE `hang` never ends a run, `exit` ends the process
in it, `work` does it.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.jobs import Job, JobRunner
from edgeflow_cloud.kernel.clock import SystemClock

NAME = "test.deadly"


async def main(url: str, folder: Path, mode: str) -> None:
    async def run(context: Context, payload: dict[str, object]) -> None:
        with (folder / "runs").open("a") as runs:
            runs.write(f"{os.getpid()} {payload['number']}\n")
        if mode == "exit":
            os._exit(1)
        if mode == "hang":
            await asyncio.sleep(3600)

    db = Database(url, size=2)
    await db.open()
    context = cast(Context, SimpleNamespace(db=db, clock=SystemClock()))
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    job = Job(name=NAME, handler=run)
    silent = timedelta(seconds=float(os.environ.get("SILENT", "20")))
    await JobRunner(context, [job], heartbeat_timeout=silent, drain=1).run(stopping)
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
