"""What the figures stand on: the real parts (durable), a migrated schema, organizations, devices, and roles to start.

Organizations come by REST, as people make them; devices by COPY, because a hundred thousand are wanted and how they
were registered is not what is measured.
"""

import asyncio
import json
import os
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2

from edgeflow_cloud.devices import hash_key
from edgeflow_cloud.infra.embedded import start_for_tests
from edgeflow_cloud.infra.schema import bring_up_to_date
from edgeflow_cloud.kernel import ids
from tests.load.child import Child, free_port, module
from tools.root import BIN, ROOT

ORGANIZATIONS = 24
"""Callers are limited to a hundred calls a second each, so load over REST comes from many."""


@dataclass(frozen=True)
class Organization:
    """One tenant: its id and its owner's access token."""

    id: UUID
    token: str


@dataclass
class Served:
    """A started process of ours: `rest` is the one port, `tunnel` the port for devices."""

    child: Child
    rest: int
    tunnel: int


@dataclass
class Stack:
    """The running parts, and what was made in them. `devices[n]` belongs to `organizations[n % their number]`."""

    folder: Path
    environment: dict[str, str]
    database_url: str
    organizations: list[Organization] = field(default_factory=list[Organization])
    devices: list[UUID] = field(default_factory=list[UUID])
    crowded: set[UUID] = field(default_factory=set[UUID])

    @property
    def fleet(self) -> Path:
        """Identities for generators, a line a device."""
        return self.folder / "fleet.jsonl"

    @contextmanager
    def serve(self, *roles: str, own_port: bool = False, name: str = "cloud") -> Generator[Served]:
        """`edgeflow-cloud serve`; `own_port`: tunnels on a port of the hub's own."""
        rest = free_port()
        tunnel = free_port() if own_port else rest
        environment = {**self.environment, "EDGEFLOW_PORT": str(rest)}
        if own_port:
            environment["EDGEFLOW_HUB_PORT"] = str(tunnel)
        named = [part for role in roles for part in ("--role", role)]
        child = Child(
            [str(BIN / "edgeflow-cloud"), "serve", *named], environment, self.folder / f"{name}.log"
        )
        try:
            if roles != ("worker",):  # which listens nowhere
                child.until_open(tunnel)
            yield Served(child, rest, tunnel)
        finally:
            child.end()

    @contextmanager
    def ask(self, program: str, *arguments: str) -> Generator[Child]:
        """One of our own programs, ready for orders."""
        child = Child(
            module(program, *arguments), self.environment, self.folder / f"{program}.log", asked=True
        )
        try:
            yield child
        finally:
            child.end()

    @contextmanager
    def generator(self, *, bare: bool = False) -> Generator[Child]:
        """A process of devices."""
        with self.ask("generator", "-" if bare else str(self.fleet)) as child:
            yield child

    @contextmanager
    def bare(self, *, rest: bool = False) -> Generator[Served]:
        """The floor's server."""
        tunnel, port = free_port(), free_port()
        arguments = [str(tunnel), str(port)] if rest else [str(tunnel)]
        child = Child(module("floor", *arguments), self.environment, self.folder / "floor.log")
        try:
            child.until_open(port if rest else tunnel)
            yield Served(child, port, tunnel)
        finally:
            child.end()

    @contextmanager
    def reading(self) -> Generator[Served]:
        """The server that reads are held against."""
        port = free_port()
        child = Child(module("reading", str(port)), self.environment, self.folder / "reading.log")
        try:
            child.until_open(port)
            yield Served(child, port, port)
        finally:
            child.end()

    def crowd(self, organization: Organization, count: int) -> None:
        """Have so many more devices registered for it, once."""
        if organization.id not in self.crowded:
            self.crowded.add(organization.id)
            self.add_devices(count, [organization.id], name=f"listed{count}")

    def add_devices(self, count: int, tenants: Sequence[UUID], name: str = "bench") -> list[tuple[UUID, str]]:
        """Register devices round the tenants; (id, key) of each."""
        made = [(ids.new(), f"efk_{secrets.token_urlsafe(32)}") for _ in range(count)]
        asyncio.run(_copy_devices(self.database_url, made, tenants, name))
        return made


@contextmanager
def open_stack(folder: Path, devices: int) -> Generator[Stack]:
    """Everything up, with so many devices over the organizations. Torn down at the end."""
    with start_for_tests(folder / "parts", durable=True) as parts:
        url = str(parts.database_url)
        asyncio.run(bring_up_to_date(url))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGEFLOW_")}
        environment = {
            **kept,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "EDGEFLOW_DATA_DIR": str(folder / "data"),
            "EDGEFLOW_DATABASE_URL": url,
            "EDGEFLOW_VALKEY_URL": str(parts.valkey_url),
            "EDGEFLOW_S3_URL": str(parts.s3_url),
            "EDGEFLOW_JWT_KEY": secrets.token_urlsafe(48),
            "EDGEFLOW_MASTER_KEY": secrets.token_urlsafe(32) + "=",
            "EDGEFLOW_LOG_LEVEL": "warning",
        }
        stack = Stack(folder, environment, url)
        with stack.serve("api", name="registration") as served:
            stack.organizations = register(served.rest)
        made = stack.add_devices(devices, [one.id for one in stack.organizations])
        stack.devices = [device for device, _ in made]
        stack.fleet.write_text(
            "".join(json.dumps([ids.encode(ids.DEVICE, device), key]) + "\n" for device, key in made)
        )
        yield stack


def register(port: int) -> list[Organization]:
    """The organizations, each with an owner who is logged in."""
    made: list[Organization] = []
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False, timeout=60) as api:
        for number in range(ORGANIZATIONS):
            login = {"email": f"bench{number}@example.com", "password": secrets.token_urlsafe(24)}
            person = {"first_name": "Bench", "last_name": str(number), "accept_terms": True}
            organization = {"organization_name": f"Bench {number}"}
            api.post("/auth/register", json={**login, **person, **organization}).raise_for_status()
            entry = api.post("/auth/login", json=login).raise_for_status().json()
            tenant = ids.decode(ids.ORGANIZATION, entry["user"]["organization_id"])
            made.append(Organization(tenant, entry["access_token"]))
    return made


async def _copy_devices(url: str, made: list[tuple[UUID, str]], tenants: Sequence[UUID], name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        owned = [(tenants[number % len(tenants)], device, key) for number, (device, key) in enumerate(made)]
        for table, columns, rows in (
            ("devices", ["tenant_id", "id", "name", "tags"],
             [(tenant, device, f"{name}-{number:06d}", ["bench", f"rack-{number % 50}"])
              for number, (tenant, device, _) in enumerate(owned)]),
            ("device_presence", ["tenant_id", "device_id"], [(tenant, device) for tenant, device, _ in owned]),
            ("device_keys", ["tenant_id", "device_id", "id", "hash", "prefix"],
             [(tenant, device, ids.new(), hash_key(key), key[:8]) for tenant, device, key in owned]),
        ):  # fmt: skip
            await connection.copy_records_to_table(table, records=rows, columns=columns)
        await connection.execute("analyze devices, device_presence, device_keys")
    finally:
        await connection.close()
