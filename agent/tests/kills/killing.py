"""Kills the real agent at random system calls while it provisions, journals commands and switches flows.

strace stops the n-th call of one kind and answers it with SIGKILL. After each kill a copy of the folder is looked at:
credentials open or were never there, the database is whole, one slot of the flow runs. Then the agent starts again on
the folder itself, and what it was told before is told again: a command that was sent twice must not have run twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.tests.cloud_double import CloudDouble
from agent.tests.deploy.engine_double import EngineDouble
from edgeflow_agent.deploy import Deployer, FlowStore
from edgeflow_agent.state import StateFolder, Vault
from tools.programs import STRACE

# ruff: noqa: ASYNC110 - waits for what another process does

HERE = Path(__file__).parent
CALLS = {
    # Which occurrence, at least and at most, the kill may be at, counted by strace in each thread: from a run that was
    # counted, so that most kills fall into work and few into the imports of a start.
    "openat": (500, 850), "read": (500, 950), "newfstatat": (1800, 2600), "fcntl": (100, 1700), "close": (400, 720),
    "pwrite64": (1, 900), "write": (1, 120), "fdatasync": (1, 140), "fsync": (1, 45), "rename": (1, 22),
    "fchmod": (1, 22), "ftruncate": (1, 5), "pread64": (10, 60), "lseek": (500, 850), "getdents64": (100, 142),
    "sendto": (1, 280), "recvfrom": (1, 800), "epoll_wait": (1, 1400), "futex": (1, 1600), "connect": (1, 20),
    "socket": (1, 24), "mmap": (150, 262), "epoll_ctl": (1, 70), "getrandom": (1, 150),
}  # fmt: skip
PATIENCE = 8.0
FLOW = "f"


def definition(version: int) -> dict[str, Any]:
    """Every third version is bad: the device must find its way back."""
    kind = "no-such-node" if version % 3 == 0 else "debug"
    nodes = [
        {
            "id": "n1",
            "type": "inject",
            "config": {"intervalType": "seconds", "intervalValue": 1, "topic": str(version)},
        },
        {"id": "n2", "type": kind, "config": {}},
    ]
    return {"v": version, "name": "F", "nodes": nodes, "connections": [{"source": "n1", "target": "n2"}]}


class Killing:
    """One device on one folder under `folder`, killed again and again; `fresh` gives it a new folder and code."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.dice = Random(seed)
        self.cloud = CloudDouble()
        self.cloud.signers = [Ed25519PrivateKey.generate()]
        self.state = folder / "state"
        self.ledger = folder / "ledger"
        self.kills: Counter[str] = Counter()
        self.misses = 0
        self.generation = 0
        self.version = 0
        self.sent: list[str] = []
        self.told = 0
        self.answers: dict[str, dict[str, Any]] = {}
        self.provisioned = 0
        self.seen: Counter[object] = Counter()

    async def run(self, wanted: int) -> None:
        """Until the device was killed `wanted` times, then once to the end. Raises AssertionError."""
        await self.cloud.start()
        try:
            self.fresh()
            while sum(self.kills.values()) < wanted:
                if self.dice.random() < 0.15:
                    self.fresh()
                await self.round()
                await self.examine()
            await self.finish()
        finally:
            await self.cloud.stop()

    def fresh(self) -> None:
        """Another device: its first start provisions it."""
        self.generation += 1
        self.version = 0
        self.state = self.folder / f"state-{self.generation}"
        self.code = f"PROV-{self.generation}"
        self.cloud.codes[self.code] = None
        # A journal is a device's own: what the one before did not answer is not told to this one.
        self.told += len(self.sent)
        self.sent = []

    async def round(self) -> None:
        """Start, work, be killed. A call that does not come that often is a miss: the agent is ended by hand."""
        call, (least, most) = self.dice.choice(list(CALLS.items()))
        when = self.dice.randint(least, most)
        process = await self.start(str(STRACE.find()), "-f", "-qq", "-o", "/dev/null",
                                   "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}")  # fmt: skip
        work = asyncio.create_task(self.work())
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
            self.kills[call] += 1
        except TimeoutError:
            self.misses += 1
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await end(process)

    async def start(self, *before: str) -> asyncio.subprocess.Process:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("EDGEFLOW_")
        } | {
            "EDGEFLOW_SAAS_URL": self.cloud.address,
            "EDGEFLOW_SAAS_TLS": "false",
            "EDGEFLOW_AGENT_DIR": str(self.state),
            "EDGEFLOW_SERVER_PORT": "0",
            "EDGEFLOW_PROVISIONING_CODE": self.code,
            "EDGEFLOW_AGENT_METRICS_INTERVAL": "1s",
            "KILLS_LEDGER": str(self.ledger),
        }
        self.lines = len(self.cloud.lines)
        return await asyncio.create_subprocess_exec(
            *before, sys.executable, str(HERE / "victim.py"),
            env=environment, cwd=HERE.parent.parent.parent, start_new_session=True,
            stdout=asyncio.subprocess.DEVNULL, stderr=(self.folder / "stderr").open("ab"),
        )  # fmt: skip

    async def work(self) -> None:
        """What the cloud does meanwhile: flows, commands, and those again that were not answered."""
        while len(self.cloud.lines) == self.lines:
            await asyncio.sleep(0.01)
        while True:
            device = self.cloud.line.hello["device_id"]
            self.version += 1
            await self.cloud.desire(
                device, {"flows": {FLOW: self.cloud.sign(FLOW, self.version, definition(self.version))}}
            )
            for command_id in [each for each in self.sent[-20:] if each not in self.answers]:
                await self.command(command_id)
            if (
                self.sent
            ):  # One that may have its answer already: asked again, it is answered again, not run again.
                await self.command(self.dice.choice(self.sent))
            for _ in range(3):
                self.sent.append(f"c{self.generation}-{len(self.sent)}")
                await self.command(self.sent[-1])
            await asyncio.sleep(self.dice.uniform(0.0, 0.6))

    async def command(self, command_id: str) -> None:
        line = self.cloud.line
        await line.send(type="command", id=command_id, action="count", payload={"id": command_id})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while command_id not in self.answers:
                    self.collect()
                    await asyncio.sleep(0.005)

    def collect(self) -> None:
        for line in self.cloud.lines[-3:]:
            for frame in line.of_type("response"):
                self.answers.setdefault(frame["id"], frame)

    async def examine(self) -> None:
        """The folder as it lies there, on a copy: nothing is broken, and one slot runs."""
        self.check_ledger()
        if not self.state.exists():
            return
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.state, copy)
        broken = [name for name in os.listdir(copy) if name.endswith(".broken")]
        assert broken == [], broken
        folder = StateFolder.open(copy)
        try:
            credentials = Vault(folder).load()
            self.provisioned += credentials is not None
            assert credentials is None or credentials.device_id in self.cloud.keys
            engine, troubles = EngineDouble(), list[str]()
            deployer = Deployer(
                FlowStore(folder), engine,
                changed=lambda flow_id: None,
                happened=lambda *event: troubles.append(event[2]) if event[1] == "flow_damaged" else None,
            )  # fmt: skip
            states, _ = FlowStore(folder).look()
            deployer.load()
            await deployer.boot(autostart=True)
            assert troubles == [], troubles
            for state in states:
                running = engine.version(state.flow_id)
                # One slot always runs, from the first version on that was ever good.
                assert running is not None or state.good is None, state
                self.seen[running is not None] += 1
            await deployer.close()
        finally:
            folder.close()
        if (copy / "agent.db").exists() and (copy / "agent.db").stat().st_size:
            with sqlite3.connect(copy / "agent.db") as db:
                assert db.execute("pragma quick_check").fetchone() == ("ok",)
            db.close()

    def check_ledger(self) -> None:
        """Each command ran at most once; and those that say so, did."""
        ran = Counter(self.ledger.read_text().split()) if self.ledger.exists() else Counter[str]()
        twice = {command_id: times for command_id, times in ran.items() if times > 1}
        assert twice == {}, twice
        self.collect()
        for command_id, answer in self.answers.items():
            if answer["status"] == "success":
                assert ran[command_id] == 1, answer

    async def finish(self) -> None:
        """A last start, in peace: all that is open gets its answer, and the flow ends as the last good version."""
        process = await self.start()
        try:
            async with asyncio.timeout(20):
                while len(self.cloud.lines) == self.lines:
                    await asyncio.sleep(0.02)
            device = self.cloud.line.hello["device_id"]
            for command_id in [each for each in self.sent[-200:] if each not in self.answers]:
                await self.command(command_id)
                assert command_id in self.answers, command_id
            self.version += 3 - self.version % 3 + 1
            await self.cloud.desire(
                device, {"flows": {FLOW: self.cloud.sign(FLOW, self.version, definition(self.version))}}
            )
            async with asyncio.timeout(20):
                while not self.is_running(device):
                    await asyncio.sleep(0.02)
        finally:
            await end(process)
        self.check_ledger()

    def is_running(self, device: str) -> bool:
        seen = self.cloud.shadow(device)["reported"].get("flows", {}).get(FLOW, {})
        return seen.get("version") == self.version and seen.get("status") == "running"


async def end(process: asyncio.subprocess.Process) -> None:
    """The process and what strace started: they are a session of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def main(wanted: int, seed: int, folder: Path) -> None:
    """`python -m agent.tests.kills.killing 200 SEED FOLDER`: prints what was done."""
    killing = Killing(folder, seed)
    started = asyncio.get_running_loop().time()
    await killing.run(wanted)
    took = asyncio.get_running_loop().time() - started
    print(
        f"{sum(killing.kills.values())} kills at {len(killing.kills)} kinds of system calls in {took:.0f} s "
        f"({killing.misses} calls never came so often); {killing.generation} devices, "
        f"{killing.told + len(killing.sent)} commands, "
        f"{len(killing.ledger.read_text().split())} ran, none twice; a flow ran after {killing.seen[True]} of "
        f"{killing.seen.total()} looks (the others had no good version yet)."
    )
    print(dict(killing.kills))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
