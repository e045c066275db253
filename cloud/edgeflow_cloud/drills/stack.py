"""A whole cloud for one drill: processes of each role on the ground's parts, a front before them, an owner, a fleet."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import shutil
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from edgeflow_cloud import devices
from edgeflow_cloud.drills.frame import CannotRun, Order, Report
from edgeflow_cloud.drills.front import Front
from edgeflow_cloud.drills.ground import Ground
from edgeflow_cloud.drills.node import Node
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.embedded.ports import free_ports
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.kernel.principal import system_principal
from edgeflow_cloud.simulator import (
    Credentials,
    Faults,
    Fleet,
    Load,
    Pace,
    ProvisioningFailed,
    Watch,
    obtain,
    open_api,
    open_fleet,
)

EMAIL = "drill@example.com"
PASSWORD = "four words for drills"  # noqa: S105 - of a cloud that lives for a minute on loopback
_REGISTRATION = 20.0


@dataclass(frozen=True, slots=True)
class Layout:
    """How many processes of each role."""

    hubs: int = 1
    apis: int = 1
    workers: int = 1
    whole: int = 0
    """Processes that have all roles, where the question needs no more."""


class Stack:
    """`async with open_stack(…) as stack`. Devices and people come through `front`."""

    def __init__(
        self, ground: Ground, database: str, nodes: Sequence[Node], front: Front, report: Report
    ) -> None:
        self.ground = ground
        self.report = report
        self.database = database
        self.nodes = list(nodes)
        self.front = front

    @property
    def database_url(self) -> str:
        """The drill's own database, as its server's owner."""
        return self.ground.database_url(self.database)

    @property
    def rest(self) -> str:
        """http://host:port, through the front."""
        return f"http://{self.front.netloc}"

    @property
    def tunnel(self) -> str:
        """ws://host:port/tunnel, through the front."""
        return f"ws://{self.front.netloc}/tunnel"

    def of(self, role: str) -> list[Node]:
        """The nodes of a role."""
        return [node for node in self.nodes if node.role == role]

    @asynccontextmanager
    async def owner(self, email: str = EMAIL) -> AsyncGenerator[httpx2.AsyncClient]:
        """An HTTP client that is logged in as the owner. Raises CannotRun."""
        try:
            async with open_api(self.rest, email, PASSWORD) as api:
                yield api
        except ProvisioningFailed as error:
            raise CannotRun(str(error)) from error

    async def register(self, email: str) -> None:
        """One more organization with its owner. Raises CannotRun."""
        await _register(self, email)

    async def enter(self, count: int, email: str = EMAIL) -> list[Credentials]:
        """So many devices of an organization, straight into its registry: where how they came is not the question."""
        began = time.monotonic()
        async with self.owner(email) as api:
            profile = (await api.get("/auth/profile")).json()
        principal = system_principal(TenantId(ids.decode(ids.ORGANIZATION, profile["organization_id"])))
        db = Database(self.database_url, size=2)
        await db.open()
        try:
            found: list[Credentials] = []
            async with db.tenant_tx(principal) as tx:
                for number in range(count):
                    made, key = await devices.create_device(tx, principal, name=f"drilled-{number:05d}")
                    found.append(Credentials(ids.encode(ids.DEVICE, made.device_id), key))
        finally:
            await db.close()
        self.report.step(f"{count} devices entered in {time.monotonic() - began:.1f} s")
        return found

    async def provision(self, count: int) -> list[Credentials]:
        """So many devices, over REST. Raises CannotRun."""
        began = time.monotonic()
        async with self.owner() as api:
            try:
                found = await obtain(api, count)
                self.report.step(f"{count} devices provisioned in {time.monotonic() - began:.1f} s")
                return found
            except ProvisioningFailed as error:
                raise CannotRun(str(error)) from error

    @asynccontextmanager
    async def fleet(
        self,
        identities: Sequence[Credentials],
        order: Order,
        *,
        load: Load | None = None,
        pace: Pace | None = None,
        faults: Faults | None = None,
        watch: Watch | None = None,
        profile: str = "agent",
        per_second: float = 200.0,
    ) -> AsyncGenerator[Fleet]:
        """These devices, each of which was in. Raises CannotRun when they do not come in."""
        began = time.monotonic()
        async with open_fleet(
            identities,
            tunnel=self.tunnel,
            rest=self.rest,
            profile=profile,
            faults=faults,
            load=load or Load(0),
            pace=pace,
            watch=watch,
            seed=order.seed,
        ) as fleet:
            await fleet.start(per_second)
            # Each was in: where devices crash, all of them are never in at one moment.
            if not await fleet.until(lambda: fleet.tally.ever_in >= len(identities), within=60.0):
                said = "; ".join(f"{name}: {value}" for name, value in fleet.tally.rows())
                raise CannotRun(f"The fleet did not come in. {said}\n{self.logs()}")
            self.report.step(f"{len(identities)} devices in after {time.monotonic() - began:.1f} s")
            yield fleet

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"--- {node.name}\n{node.tail()}" for node in self.nodes)

    def failures(self) -> list[str]:
        """Lines in logs that must not be there, whatever is killed: tracebacks of handlers and requests."""
        found: list[str] = []
        for node in self.nodes:
            for log in sorted(node.log.parent.glob(f"{node.name}.*.log")):
                for line in log.read_text(errors="replace").splitlines():
                    if '"tunnel.handler_failed"' in line or '"tunnel.action_failed"' in line:
                        found.append(f"{log.name}: {line[:400]}")
        return found


@asynccontextmanager
async def open_stack(
    ground: Ground,
    layout: Layout,
    report: Report,
    *,
    mutant: str = "",
    mutated: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    limits: Mapping[str, float] | None = None,
) -> AsyncGenerator[Stack]:
    """Start a cloud; all of it is gone at the end of the block. `mutant` goes into the roles `mutated`;
    `settings` are variables beside ours, `limits` what hubs have other than `tunnel.Limits`.

    Raises CannotRun.
    """
    began = time.monotonic()
    folder = ground.folder / f"stack-{secrets.token_hex(3)}"
    folder.mkdir()
    database = await ground.make_database()
    names = [("hub", n) for n in range(layout.hubs)]
    names += [("api", n) for n in range(layout.apis)]
    names += [("worker", n) for n in range(layout.workers)]
    names += [("all", n) for n in range(layout.whole)]
    ports = free_ports(len(names) + 1)
    environment = {
        "EDGEFLOW_DATABASE_URL": ground.database_url(database),
        "EDGEFLOW_VALKEY_URL": ground.valkey_url,
        "EDGEFLOW_S3_URL": ground.s3_url,
        "EDGEFLOW_DATA_DIR": str(folder / "data"),
        "EDGEFLOW_JWT_KEY": secrets.token_urlsafe(48),
        "EDGEFLOW_MASTER_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "EDGEFLOW_HOST": "127.0.0.1",
        "EDGEFLOW_DRAIN_SECONDS": "4",
        "EDGEFLOW_LOG_FORMAT": "json",
        "EDGEFLOW_LOG_LEVEL": "info",
        **(settings or {}),
    }
    nodes: list[Node] = []
    for (role, number), port in zip(names, ports, strict=False):
        own = {**environment, "EDGEFLOW_PORT": str(port)}
        if role == "hub":
            # A hub takes tunnels on a port of its own, and so leaves the one port to others.
            own |= {"EDGEFLOW_HUB_PORT": str(port), "EDGEFLOW_PORT": str(ports[-1])}
        node = Node(f"{role}-{'abcdefgh'[number]}", role, port, own, folder, ground.nursery)
        node.mutant = mutant if role in mutated or role == "all" else ""
        node.limits = limits or {}
        nodes.append(node)
    try:
        for node in nodes:
            node.spawn()
        await asyncio.gather(*(node.ready() for node in nodes))
        hubs = [node.address for node in nodes if node.role in ("hub", "all")]
        apis = [node.address for node in nodes if node.role in ("api", "all")]
        async with Front.before(hubs, apis) as front:
            stack = Stack(ground, database, nodes, front, report)
            await _register(stack, EMAIL)
            report.step(f"{len(nodes)} processes ready in {time.monotonic() - began:.1f} s")
            yield stack
    finally:
        for node in nodes:
            await asyncio.to_thread(node.clear)
        if ground.database.child is not None and ground.database.child.alive():
            await ground.drop_database(database)
        if report.logs is not None:
            report.logs.mkdir(parents=True, exist_ok=True)
            for log in folder.glob("*.log"):
                shutil.copy(log, report.logs)
        shutil.rmtree(folder, ignore_errors=True)


async def _register(stack: Stack, email: str) -> None:
    body = {
        "email": email,
        "password": PASSWORD,
        "first_name": "Drill",
        "last_name": "Owner",
        "organization_name": "Drill",
        "accept_terms": True,
    }
    async with httpx2.AsyncClient(
        base_url=f"{stack.rest}/api/v1", timeout=_REGISTRATION, trust_env=False
    ) as api:
        try:
            answer = await api.post("/auth/register", json=body)
        except httpx2.HTTPError as error:
            raise CannotRun(f"The API does not answer: {error!r}.\n{stack.logs()}") from error
    if answer.status_code != 201:
        raise CannotRun(f"No owner could be registered: {answer.status_code} {answer.text[:500]}")
