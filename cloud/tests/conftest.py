"""What tests of the cloud stand on: one real PostgreSQL, Valkey and S3 store a run, one fresh database a test.

The stack is started once by the process that was called (not by each xdist worker), without fsync; the schema is
migrated once into a template, which each test clones. EDGEFLOW_TEST_DATABASE_URL (a superuser's, of any database)
names a PostgreSQL to use instead of our own: the same tests then say whether the cloud runs on that one.
"""

import asyncio
import json
import os
import secrets as random
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from ipaddress import IPv6Address
from pathlib import Path

import asyncpg
import httpx2 as httpx
import pytest
from starlette.requests import HTTPConnection

from edgeflow_cloud.app.api import create_api
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra.blobs import Blobs
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.embedded import start_for_tests
from edgeflow_cloud.infra.embedded.parts import ALL, PartName
from edgeflow_cloud.infra.limits import Limits
from edgeflow_cloud.infra.migrate import migrate
from edgeflow_cloud.infra.secrets import Secret, Secrets
from edgeflow_cloud.infra.settings import Settings
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.clock import SystemClock
from edgeflow_cloud.kernel.ids import DeviceId, TenantId, UserId
from edgeflow_cloud.kernel.principal import Kind, Principal, Role

_STACK = "EDGEFLOW_TEST_STACK"
_SERVER = "EDGEFLOW_TEST_DATABASE_URL"
_TEMPLATE = "edgeflow_template"
_running = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the stack in the process that was called; workers find it in their environment."""
    if hasattr(config, "workerinput") or config.option.collectonly or _STACK in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="edgeflow-test-"))
    named = os.environ.get(_SERVER)
    wanted: tuple[PartName, ...] = tuple(part for part in ALL if named is None or part != "database")
    parts = _running.enter_context(start_for_tests(folder / "stack", wanted=wanted))
    database = named or str(parts.database_url)
    _running.callback(shutil.rmtree, folder, ignore_errors=True)
    _running.callback(os.environ.pop, _STACK, None)
    os.environ[_STACK] = json.dumps(
        {
            "database": database,
            "valkey": parts.valkey_url,
            "s3": parts.s3_url,
            "folder": str(folder),
        }
    )
    asyncio.run(_make_template(database))
    if named is not None:
        _running.callback(lambda: asyncio.run(_drop_template(database)))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started."""
    if not hasattr(config, "workerinput"):
        _running.close()


async def _make_template(url: str) -> None:
    await _drop_template(url)  # what a run that was cut short has left on a named server
    connection = await asyncpg.connect(url)
    await connection.execute(f"create database {_TEMPLATE}")
    await connection.close()
    await migrate(_with_database(url, _TEMPLATE))


async def _drop_template(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"drop database if exists {_TEMPLATE} with (force)")
    await connection.close()


def _with_database(url: str, name: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def stack() -> dict[str, str]:
    """URLs of the running parts: `database`, `valkey`, `s3`, and a scratch `folder`."""
    return json.loads(os.environ[_STACK])


@asynccontextmanager
async def use_database(stack: dict[str, str]) -> AsyncIterator[str]:
    """The URL of a migrated database that is dropped again."""
    name = f"test_{uuid.uuid4().hex}"
    server = await asyncpg.connect(stack["database"])
    try:
        await server.execute(f"create database {name} template {_TEMPLATE}")
        yield _with_database(stack["database"], name)
        await server.execute(f"drop database if exists {name} with (force)")
    finally:
        await server.close()


@pytest.fixture
async def database_url(stack: dict[str, str]) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    async with use_database(stack) as url:
        yield url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An open Database on it."""
    database = Database(database_url, size=20)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def bus(stack: dict[str, str]) -> AsyncIterator[Bus]:
    """A started Bus on the run's Valkey; keys of other tests may be there, ids never collide."""
    bus = Bus(stack["valkey"])
    await bus.start()
    yield bus
    await bus.close()


@pytest.fixture
async def blobs(stack: dict[str, str], settings: Settings) -> AsyncIterator[Blobs]:
    """An open Blobs on the run's S3 store."""
    async with Blobs.open(stack["s3"], settings.public_url) as blobs:
        yield blobs


@pytest.fixture
def settings(tmp_path: Path, database_url: str, stack: dict[str, str]) -> Settings:
    """Settings that name the run's parts."""
    return Settings(
        data_dir=tmp_path,
        database_url=Secret(database_url),
        valkey_url=Secret(stack["valkey"]),
        s3_url=Secret(stack["s3"]),
        port=8000,
    )


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    """Secrets of the test's own."""
    return Secrets(tmp_path / "secrets")


@pytest.fixture
def owner() -> Principal:
    """An owner of an organization of the test's own: may do everything."""
    return make_principal()


@pytest.fixture
def stranger() -> Principal:
    """An owner of another organization."""
    return make_principal()


def make_principal(kind: Kind = Kind.USER, permissions: frozenset[str] | None = None) -> Principal:
    """A principal with every declared permission, or those given."""
    everything = frozenset(name for subsystem in SUBSYSTEMS for name in subsystem.permissions)
    return Principal(
        tenant_id=TenantId(ids.new()),
        kind=kind,
        id=UserId(ids.new()),
        role=Role.OWNER,
        permissions=everything if permissions is None else permissions,
        ip_address="127.0.0.1",
    )


def device_principal(owner: Principal, device_id: DeviceId) -> Principal:
    """A device of the owner's organization, as its key makes it."""
    return Principal(tenant_id=owner.tenant_id, kind=Kind.DEVICE, id=device_id)


@pytest.fixture
async def context(
    settings: Settings, secrets: Secrets, db: Database, bus: Bus, blobs: Blobs, known: dict[str, Principal]
) -> Context:
    """A Context whose callers are known by name: `Authorization: Bearer owner` is the `owner` fixture."""

    async def authenticate(_: Context, connection: HTTPConnection) -> Principal | None:
        return known.get(connection.headers.get("authorization", "").removeprefix("Bearer "))

    return Context(
        settings=settings,
        secrets=secrets,
        clock=SystemClock(),
        db=db,
        bus=bus,
        blobs=blobs,
        limits=Limits(bus),
        authenticate=authenticate,
    )


@pytest.fixture
def known(owner: Principal, stranger: Principal) -> dict[str, Principal]:
    """Who may call, by the word in their bearer token. Tests add to it."""
    return {
        "owner": owner,
        "stranger": stranger,
        "viewer": replace(owner, permissions=frozenset({"devices:view"}), role=Role.VIEWER, id=ids.new()),
    }


Caller = Callable[[str], httpx.AsyncClient]


def fresh_address() -> str:
    """An address of the test's own. All workers of a run share one Valkey, which counts limits by address: on a
    shared one, tests of another worker use it up. It differs within the first 64 bits, and is one of a private network.
    """
    return str(IPv6Address(0xFD << 120 | random.randbits(56) << 64 | 1))


@pytest.fixture
async def client(context: Context) -> AsyncIterator[Caller]:
    """`client("owner")`: an HTTP client of the real API, as that caller; `client("")` is nobody. All call from one
    address, which is the test's own.
    """
    api = create_api(context, SUBSYSTEMS)
    address = (fresh_address(), 4711)
    opened: list[httpx.AsyncClient] = []

    def open_as(name: str) -> httpx.AsyncClient:
        made = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=api, raise_app_exceptions=False, client=address),
            base_url="http://cloud.test/api/v1",
            headers={"authorization": f"Bearer {name}"} if name else {},
        )
        opened.append(made)
        return made

    yield open_as
    for made in opened:
        await made.aclose()
