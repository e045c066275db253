"""What anybody may know of this installation, and whether it is well."""

import asyncio

from edgeflow_cloud import __version__
from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.http import PUBLIC, Ctx, Document, Router
from edgeflow_cloud.kernel.errors import Unavailable

router = Router(tag="instance")


class InstanceDocument(Document):
    """This installation, as its login page and "add device" need it."""

    name: str
    version: str
    public_url: str
    loopback_only: bool
    registration: str


class HealthDocument(Document):
    """`ok`, or an answer that is no 200."""

    status: str


@router.get("/instance", PUBLIC)
async def get_instance(context: Ctx) -> InstanceDocument:
    """Name, version and address; `loopback_only` says that devices on the network cannot reach it."""
    return InstanceDocument(
        name="EdgeFlow Cloud",
        version=__version__,
        public_url=context.settings.public_url,
        loopback_only=context.settings.loopback_only,
        registration=context.settings.registration.value,
    )


@router.get("/health", PUBLIC)
async def get_health() -> HealthDocument:
    """The process runs. Says nothing of what it stands on."""
    return HealthDocument(status="ok")


@router.get("/ready", PUBLIC)
async def get_ready(context: Ctx) -> HealthDocument:
    """PostgreSQL and Valkey answer: this process can serve. 503 names the part that does not."""
    try:
        async with asyncio.timeout(3), context.db.lookup() as tx:
            await tx.fetchval("select 1")
    except TimeoutError:
        raise Unavailable("PostgreSQL does not answer.", code="database_unavailable") from None
    try:
        await context.bus.ping()
    except BusAway:
        raise Unavailable("Valkey does not answer.", code="bus_unavailable") from None
    return HealthDocument(status="ok")
