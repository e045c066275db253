"""The product with its roles apart: six processes on shared parts, behind nginx with the file of deploy/proxy."""

import asyncio
import base64
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from edgeflow_cloud.infra.embedded import Parts, start_for_tests
from tests.system.product import BIN, Program, clean_environment, eventually
from tools.root import ROOT

ROLES = ("api", "hub", "worker")
DRAIN = 3
EMAIL, PASSWORD = "owner@roles.example", "a long enough pass phrase 7"


@dataclass
class Node:
    """One `edgeflow-cloud serve --role …`, over all its lives."""

    role: str
    port: int
    program: Program
    lives: int = 0

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int:
        assert self.program.process is not None
        return self.program.process.pid

    def spawn(self) -> None:
        """Start it; `until_ready` waits."""
        self.lives += 1
        self.program.start()

    async def until_ready(self) -> None:
        """Wait until it has said so."""
        deadline = time.monotonic() + 60
        while self.program.said().count('"event": "ready"') < self.lives:
            assert time.monotonic() < deadline and self.is_running, self.program.said()[-3000:]
            await asyncio.sleep(0.05)

    @property
    def is_running(self) -> bool:
        return self.program.process is not None and self.program.process.poll() is None

    async def restart(self) -> None:
        self.spawn()
        await self.until_ready()

    async def kill(self) -> None:
        """kill -9."""
        os.kill(self.pid, signal.SIGKILL)
        await asyncio.to_thread(self.program.end)

    async def end(self) -> tuple[int, float]:
        """SIGTERM: its exit code, and the seconds that it took."""
        began = time.monotonic()
        code = await asyncio.to_thread(self.program.end, signal.SIGTERM, 45)
        return code, time.monotonic() - began

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


@dataclass
class Roles:
    """Two of each role. `url` is the proxy's."""

    folder: Path
    parts: Parts
    port: int
    nodes: list[Node] = field(default_factory=list)
    token: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, role: str) -> list[Node]:
        return [node for node in self.nodes if node.role == role]

    def client(self, node: Node | None = None) -> httpx.AsyncClient:
        """An owner's client: of the proxy, or of one API past it."""
        port = node.port if node is not None else self.port
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/api/v1",
            timeout=30,
            trust_env=False,
            headers={"authorization": f"Bearer {self.token}"},
        )

    def tunnel(self, node: Node | None = None) -> str:
        """The tunnel's address: through the proxy, or of one hub past it."""
        return f"ws://127.0.0.1:{node.port if node is not None else self.port}/tunnel"

    def register(self) -> None:
        """Make the owner, through the proxy."""
        body = {
            "email": EMAIL,
            "password": PASSWORD,
            "first_name": "Ada",
            "last_name": "Owner",
            "organization_name": "Roles",
            "accept_terms": True,
        }
        made = httpx.post(f"{self.url}/api/v1/auth/register", json=body, timeout=30)
        assert made.status_code == 201, made.text
        login = {"email": EMAIL, "password": PASSWORD}
        entered = httpx.post(f"{self.url}/api/v1/auth/login", json=login, timeout=30)
        assert entered.status_code == 200, entered.text
        self.token = entered.json()["access_token"]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def proxy_settings(port: int, apis: Sequence[Node], hubs: Sequence[Node]) -> str:
    """deploy/proxy/nginx.conf with this run's addresses, and nothing outside of its own folder."""
    text = (ROOT / "deploy/proxy/nginx.conf").read_text()
    own = {8000: port, 8001: apis[0].port, 8002: apis[1].port, 8101: hubs[0].port, 8102: hubs[1].port}
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{own[int(found[1])]}", text)
    assert all(str(port) in text for port in own.values())
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"    {kind}_temp_path {kind};\n" for kind in kinds)
    text = re.sub(r"worker_processes .*;", "worker_processes 1;", text)
    text = re.sub(r"worker_connections .*;", "worker_connections 1024;", text)
    text = re.sub(r"worker_rlimit_nofile .*;\n", "", text)
    return text.replace("http {\n", f"http {{\n{folders}", 1)


@contextmanager
def start_roles(folder: Path, nginx: Path) -> Iterator[Roles]:
    """Start all of it; all of it is gone at the end."""
    with start_for_tests(folder / "parts", durable=True) as parts:
        ports = free_ports(7)
        roles = Roles(folder, parts, ports[6])
        environment = clean_environment(
            {
                "EDGEFLOW_DATABASE_URL": str(parts.database_url),
                "EDGEFLOW_VALKEY_URL": str(parts.valkey_url),
                "EDGEFLOW_S3_URL": str(parts.s3_url),
                "EDGEFLOW_DATA_DIR": str(folder / "data"),
                "EDGEFLOW_JWT_KEY": secrets.token_urlsafe(48),
                "EDGEFLOW_MASTER_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
                "EDGEFLOW_PUBLIC_URL": roles.url,
                "EDGEFLOW_TRUSTED_PROXIES": "127.0.0.1",
                "EDGEFLOW_DRAIN_SECONDS": str(DRAIN),
                "EDGEFLOW_LOG_FORMAT": "json",
            }
        )
        command = str(BIN / "edgeflow-cloud")
        subprocess.run(
            [command, "migrate"], env=environment, cwd=folder, check=True, timeout=60, capture_output=True
        )
        for index, port in enumerate(ports[:6]):
            role = ROLES[index // 2]
            own = {"EDGEFLOW_PORT": str(port)} if role != "hub" else {"EDGEFLOW_HUB_PORT": str(port)}
            name = f"{role}-{'ab'[index % 2]}"
            program = Program([command, "serve", "--role", role], {**environment, **own}, folder, name)
            roles.nodes.append(Node(role, port, program))
        settings = folder / "nginx.conf"
        settings.write_text(proxy_settings(roles.port, roles.of("api"), roles.of("hub")))
        arguments = [
            "-p",
            f"{folder}/",
            "-c",
            str(settings),
            "-e",
            "stderr",
            "-g",
            "daemon off; pid nginx.pid;",
        ]
        proxy = Program([str(nginx), *arguments], clean_environment({}), folder, "nginx")
        try:
            for node in roles.nodes:
                node.spawn()
            for node in roles.nodes:
                asyncio.run(node.until_ready())
            proxy.start()
            eventually(
                lambda: httpx.get(f"{roles.url}/api/v1/ready").status_code == 200,
                within=20,
                what="the proxy answers",
            )
            roles.register()
            yield roles
        finally:
            if proxy.process is not None:
                proxy.end(signal.SIGTERM)
            for node in roles.nodes:
                if node.is_running:
                    os.kill(node.pid, signal.SIGKILL)
                    node.program.end()
