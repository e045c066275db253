"""The supervisor's promises: order, signals, crashes, bounded time. In processes of their own where it matters."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from edgeflow_cloud.infra.supervisor import ServiceCrashed, Supervisor


class Recorder:
    """A service that notes what happens to it."""

    def __init__(self, name: str, notes: list[str], *, restarts: bool = False, crashes: int = 0) -> None:
        self.name = name
        self.restarts = restarts
        self._notes = notes
        self._crashes = crashes
        self._over = asyncio.Event()
        self.running = asyncio.Event()

    async def start(self) -> None:
        self._notes.append(f"start {self.name}")

    async def run(self) -> None:
        if self._crashes:
            self._crashes -= 1
            raise ValueError(f"{self.name} broke")
        self._notes.append(f"run {self.name}")
        self.running.set()
        await self._over.wait()

    async def stop(self) -> None:
        self._notes.append(f"stop {self.name}")
        self._over.set()


async def test_services_start_in_order_and_end_in_reverse() -> None:
    notes: list[str] = []
    async with Supervisor() as supervisor:
        for name in "abc":
            await supervisor.start(Recorder(name, notes))
    assert [note for note in notes if "run" not in note] == [
        *("start a", "start b", "start c"),
        *("stop c", "stop b", "stop a"),
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_block_in_order(number: signal.Signals) -> None:
    notes: list[str] = []
    async with Supervisor() as supervisor:
        await supervisor.start(Recorder("a", notes))
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
        await supervisor.wait()
    assert notes == ["start a", "run a", "stop a"]
    await asyncio.sleep(0)  # the test's own task is not left cancelled


async def test_a_needed_service_that_crashes_ends_the_process_and_says_why() -> None:
    notes: list[str] = []
    with pytest.raises(ServiceCrashed, match="The b failed and was needed: b broke"):
        async with Supervisor() as supervisor:
            await supervisor.start(Recorder("a", notes))
            await supervisor.start(Recorder("b", notes, crashes=1))
            await supervisor.wait()
    assert "stop a" in notes


async def test_a_service_that_restarts_runs_again() -> None:
    notes: list[str] = []
    async with Supervisor() as supervisor:
        service = Recorder("a", notes, restarts=True, crashes=2)
        await supervisor.start(service)
        await asyncio.wait_for(service.running.wait(), 5)


async def test_what_start_raises_comes_through_after_draining() -> None:
    notes: list[str] = []

    class Broken(Recorder):
        async def start(self) -> None:
            raise OSError("port taken")

    with pytest.raises(OSError, match="port taken"):
        async with Supervisor() as supervisor:
            await supervisor.start(Recorder("a", notes))
            await supervisor.start(Broken("b", notes))
    assert notes[-1] == "stop a"


STUBBORN = """
    import asyncio, sys, time
    from edgeflow_cloud.infra.supervisor import Supervisor

    class Stubborn:
        name, restarts, stop_limit = "stubborn", False, 30.0
        async def start(self): print("ready", flush=True)
        async def run(self): await asyncio.sleep(60)
        async def stop(self):
            if "stuck" in sys.argv: time.sleep(60)
            await asyncio.sleep(60)

    async def main():
        async with Supervisor(limit=1.0 if "stuck" in sys.argv else 45.0) as supervisor:
            await supervisor.start(Stubborn())
            await supervisor.wait()

    asyncio.run(main())
"""


def _stubborn(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(STUBBORN), *arguments]
    pipe = subprocess.PIPE
    # Started with SIGINT ignored, as a shell does with `command &`.
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command], stdout=pipe, stderr=pipe, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_the_second_signal_hastens() -> None:
    process = _stubborn()
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert time.monotonic() - began < 5
    process.communicate()


def test_a_stuck_event_loop_ends_too() -> None:
    process = _stubborn("stuck")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) != 0
    assert "Timeout" in process.communicate()[1]
