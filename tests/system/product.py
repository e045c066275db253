"""The product as a user meets it: `edgeflow-cloud up` and `edgeflow-agent run`, as processes of their own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx2 as httpx

BIN = Path(sys.executable).parent
T = TypeVar("T")


def eventually(ask: Callable[[], T], *, within: float, what: str) -> T:
    """The first truthy answer of `ask`; an exception of the network counts as no. Fails after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            if answer := ask():
                return answer
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:g} s")
        time.sleep(0.05)


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without any EDGEFLOW_ variable, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGEFLOW_")}
    return {**kept, **extra}


@dataclass
class Program:
    """A child process whose output is kept in a file."""

    command: list[str]
    environment: dict[str, str]
    folder: Path
    name: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.out"

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def end(self, number: signal.Signals = signal.SIGINT, within: float = 20) -> int:
        """Signal it and wait; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(within)


@dataclass
class Cloud:
    """One `edgeflow-cloud up` in a data folder of its own."""

    folder: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    password: str = ""
    _program: Program | None = None

    @property
    def program(self) -> Program:
        """The running `up`."""
        assert self._program is not None, "up() comes first"
        return self._program

    @property
    def started(self) -> bool:
        """Whether `up` was ever called."""
        return self._program is not None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def up(self, *, demo: bool = False) -> None:
        """Start it and wait until it answers."""
        environment = {
            "EDGEFLOW_DATA_DIR": str(self.data),
            "EDGEFLOW_PORT": str(self.port),
            "EDGEFLOW_DEMO_DEVICE": "on" if demo else "off",
            **self.settings,
        }
        command = [str(BIN / "edgeflow-cloud"), "up"]
        self._program = Program(command, clean_environment(environment), self.folder, "cloud")
        self.program.start()
        eventually(self.is_ready, within=60, what="the cloud answers")
        if found := re.search(r"Password\s+(\S+)", self.program.said()):
            self.password = found[1]

    def is_ready(self) -> bool:
        assert self.program.process is not None
        assert self.program.process.poll() is None, f"the cloud ended:\n{self.program.said()[-3000:]}"
        return httpx.get(f"{self.url}/api/v1/ready").status_code == 200

    def owner(self) -> httpx.Client:
        """An HTTP client that is logged in as the owner."""
        client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=30)
        answer = client.post("/auth/login", json={"email": "owner@edgeflow.local", "password": self.password})
        assert answer.status_code == 200, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    def code(self, name: str = "Board") -> str:
        """A fresh provisioning code."""
        answer = self.owner().post("/provisioning-codes", json={"name": name})
        assert answer.status_code == 201, answer.text
        return answer.json()["items"][0]["code"]

    def children(self) -> list[int]:
        """Process ids that still name this data folder in their command line or environment."""
        return processes_naming(self.data)

    def kill_everything(self) -> None:
        """kill -9 of the cloud and all its parts, at once."""
        for pid in self.children():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        assert self.program.process is not None
        self.program.process.wait(10)


def processes_naming(folder: Path) -> list[int]:
    """Ids of processes that have `folder` in their command line, environment or working directory."""
    needle = str(folder).encode()
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            texts = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            texts += os.readlink(entry / "cwd").encode()
        except OSError:
            continue
        if needle in texts:
            found.append(int(entry.name))
    return found


def make_agent(cloud: Cloud, folder: Path, *, code: str = "", name: str = "agent", **more: str) -> Program:
    """A real agent with a state folder of its own; `start()` runs it."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "EDGEFLOW_SAAS_ENABLED": "true",
        "EDGEFLOW_SAAS_URL": f"127.0.0.1:{cloud.port}",
        "EDGEFLOW_SAAS_TLS": "false",
        "EDGEFLOW_AGENT_DIR": str(folder / "state"),
        "EDGEFLOW_SERVER_PORT": "0",
        **({"EDGEFLOW_PROVISIONING_CODE": code} if code else {}),
        **more,
    }
    return Program([str(BIN / "edgeflow-agent"), "run"], clean_environment(environment), folder, name)
