"""The composition of one process: which parts it opens, which services its roles run."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum

from edgeflow_cloud.infra.blobs import Blobs
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.limits import Limits
from edgeflow_cloud.infra.secrets import Secret, Secrets
from edgeflow_cloud.infra.settings import Settings
from edgeflow_cloud.kernel.clock import SystemClock


class Role(StrEnum):
    """What a process does, cut by lifetime: pages are short, tunnels live for weeks, work goes on in the background."""

    API = "api"
    HUB = "hub"
    WORKER = "worker"


ALL_ROLES: tuple[Role, ...] = tuple(Role)


class MissingPart(RuntimeError):
    """A role needs a part that no setting names."""


@asynccontextmanager
async def open_context(settings: Settings, secrets: Secrets) -> AsyncGenerator[Context]:
    """Open every connection of a process; they are closed in reverse. The schema must be there already."""
    async with AsyncExitStack() as opened:
        db = Database(_url(settings.database_url, "EDGEFLOW_DATABASE_URL"))
        await db.open()
        opened.push_async_callback(db.close)
        bus = Bus(_url(settings.valkey_url, "EDGEFLOW_VALKEY_URL"))
        await bus.start()
        opened.push_async_callback(bus.close)
        blobs = await opened.enter_async_context(
            Blobs.open(_url(settings.s3_url, "EDGEFLOW_S3_URL"), settings.public_url)
        )
        yield Context(
            settings=settings,
            secrets=secrets,
            clock=SystemClock(),
            db=db,
            bus=bus,
            blobs=blobs,
            limits=Limits(bus),
            authenticate=authenticate,
        )


def _url(value: Secret | None, variable: str) -> str:
    if value is None:
        raise MissingPart(f"Set {variable}, or use `edgeflow-cloud up`, which brings its own.")
    return value.reveal()
