"""A process's parts without the process: for drills whose question is put to the code and not to the wire."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path

from starlette.requests import HTTPConnection

from edgeflow_cloud.drills import CannotRun, Ground
from edgeflow_cloud.infra.blobs import Blobs
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.limits import Limits
from edgeflow_cloud.infra.secrets import Secret, Secrets
from edgeflow_cloud.infra.settings import Settings
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.clock import SystemClock
from edgeflow_cloud.kernel.ids import TenantId, UserId
from edgeflow_cloud.kernel.principal import Kind, Principal, Role


async def _nobody(_context: Context, _connection: HTTPConnection) -> Principal | None:
    return None


@asynccontextmanager
async def open_inside(ground: Ground, database: str, *, size: int = 12) -> AsyncGenerator[Context]:
    """The parts on a database of the ground; `size` bounds the pool of people and programs."""
    folder = Path(ground.folder) / f"inside-{database}"
    folder.mkdir()
    settings = Settings(
        data_dir=folder,
        database_url=Secret(ground.database_url(database)),
        valkey_url=Secret(ground.valkey_url),
        s3_url=Secret(ground.s3_url),
        port=8000,
    )
    db = Database(ground.database_url(database), size=size)
    bus = Bus(ground.valkey_url)
    await db.open()
    try:
        await bus.start()
        try:
            async with Blobs.open(ground.s3_url, settings.public_url) as blobs:
                yield Context(
                    settings=settings,
                    secrets=Secrets(folder / "secrets"),
                    clock=SystemClock(),
                    db=db,
                    bus=bus,
                    blobs=blobs,
                    limits=Limits(bus),
                    authenticate=_nobody,
                )
        finally:
            await bus.close()
    finally:
        await db.close()


def make_owner() -> Principal:
    """An owner of an organization of their own."""
    return Principal(
        tenant_id=TenantId(ids.new()),
        kind=Kind.USER,
        id=UserId(ids.new()),
        role=Role.OWNER,
        permissions=frozenset({"devices:manage", "devices:view", "audit:view"}),
        ip_address="127.0.0.1",
    )


@contextmanager
def broken(module: str, path: str, instead: object) -> Generator[None]:
    """Put `instead` over `function` or `Class.method` for the length of the block. Raises CannotRun without it."""
    holder: object = import_module(f"edgeflow_cloud.{module}")
    *outer, name = path.split(".")
    for part in outer:
        holder = getattr(holder, part, None)
    if not hasattr(holder, name):
        raise CannotRun(f"Nothing to break: edgeflow_cloud.{module} has no {path}.")
    whole: object = getattr(holder, name)
    setattr(holder, name, instead)
    try:
        yield
    finally:
        setattr(holder, name, whole)
