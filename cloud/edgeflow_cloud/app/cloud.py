"""The composition of one process: which parts it opens, which services its roles run."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from functools import partial

from edgeflow_cloud import auth, commands, identity, organizations, provisioning, quotas
from edgeflow_cloud.app.callers import authenticate
from edgeflow_cloud.app.denials import record_denial
from edgeflow_cloud.app.server import HubPort, WebServer
from edgeflow_cloud.app.site import create_site
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra import mail
from edgeflow_cloud.infra.blobs import BlobProxy, Blobs
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.jobs import JobRunner
from edgeflow_cloud.infra.limits import Limits
from edgeflow_cloud.infra.outbox import Relay
from edgeflow_cloud.infra.retention import INFRA_RETENTION, retention_schedule
from edgeflow_cloud.infra.secrets import Secret, Secrets
from edgeflow_cloud.infra.settings import Settings
from edgeflow_cloud.infra.supervisor import Service
from edgeflow_cloud.kernel.clock import SystemClock
from edgeflow_cloud.kernel.principal import system_principal
from edgeflow_cloud.tunnel import DeviceSide, Hub, trusting, websocket_protocol


class Role(StrEnum):
    """What a process does, cut by lifetime: pages are short, tunnels live for weeks."""

    API = "api"
    HUB = "hub"
    WORKER = "worker"


ALL_ROLES: tuple[Role, ...] = tuple(Role)
Run = Callable[[asyncio.Event], Awaitable[None]]


class MissingPart(RuntimeError):
    """A role needs a part that no setting names."""


class Background:
    """Service: something that runs until it is told to stop."""

    restarts = True

    def __init__(self, name: str, run: Run, *, stop_limit: float = 10.0) -> None:
        self.name = name
        self.stop_limit = stop_limit
        self._run = run
        self._stopping = asyncio.Event()
        self._done = asyncio.Event()

    async def start(self) -> None:
        """Nothing to prepare: `run` does not need to be ready for others to begin."""

    async def run(self) -> None:
        """Until `stop`."""
        try:
            await self._run(self._stopping)
        finally:
            self._done.set()

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._stopping.set()
        await self._done.wait()


class Cloud:
    """Service: the connections of one process, opened first and closed last; it names the other services."""

    name = "connections"
    restarts = False

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets
        self._opened = AsyncExitStack()
        self._stopping = asyncio.Event()
        self._context: Context | None = None
        self.web: WebServer | None = None

    @property
    def context(self) -> Context:
        """What the process holds, once started."""
        if self._context is None:
            raise RuntimeError("start() comes first")
        return self._context

    async def start(self) -> None:
        """Open every connection. Raises MissingPart, OSError, asyncpg.PostgresError, BlobsAway."""
        self._context = await self._opened.enter_async_context(open_context(self._settings, self._secrets))

    async def run(self) -> None:
        """The connections look after themselves."""
        await self._stopping.wait()

    async def stop(self) -> None:
        """Close every connection."""
        self._stopping.set()
        await self._opened.aclose()

    def services(self, roles: Sequence[Role] = ALL_ROLES) -> list[Service]:
        """The services of the roles, in the order in which they are started."""
        context = self.context
        made: list[Service] = []
        alone = Role.API not in roles
        drain = self._settings.drain_seconds if alone else 0.0
        hub = _hub(context, drain) if Role.HUB in roles else None
        if Role.WORKER in roles:
            made += _worker(context)
        if hub is not None:
            made.append(Background("hub", hub.run, stop_limit=20.0 + drain))
        if hub is not None and (alone or self._settings.hub_port is not None):
            made.append(HubPort(hub, self._settings))
        if Role.API in roles:
            protocol = None
            if hub is not None:
                protocol = websocket_protocol(hub.receiver, trusting(self._settings.trusted_proxies))
            self.web = WebServer(
                create_site(context, SUBSYSTEMS, BlobProxy(context.blobs)),
                self._settings,
                protocol,
                hurry=lambda: commands.answer_waiting(context.bus),
            )
            made.append(self.web)
        return made

    async def ensure_owner(self) -> str | None:
        """The first owner's new password, or None when there is somebody already."""
        return await auth.ensure_owner(self.context, self._settings.owner_email)

    async def make_demo_code(self) -> str | None:
        """A code in the owner's organization for the demo device; None when that owner has gone."""
        async with self.context.db.lookup() as tx:
            owner = await identity.find_credentials(tx, self._settings.owner_email)
            own = await organizations.memberships_of(tx, owner.user_id) if owner is not None else []
        if not own:
            return None
        principal = system_principal(own[0].organization.id)
        async with self.context.db.tenant_tx(principal) as tx:
            made = await provisioning.create_codes(
                tx,
                principal,
                provisioning.Defaults(name="Demo device", tags=["demo"], life=timedelta(hours=1)),
                now=self.context.clock.now(),
                pepper=self._secrets.master_key,
            )
        return made[0][1]


def _hub(context: Context, drain: float) -> Hub:
    """`drain`: for how long its devices may move to other hubs when it ends; a hub without others has none."""
    sides = [item.device for item in SUBSYSTEMS if isinstance(item.device, DeviceSide)]
    return Hub(context, sides, drain_seconds=drain)


def _worker(context: Context) -> list[Service]:
    forget, nightly = retention_schedule(
        [*INFRA_RETENTION, mail.RETENTION, *(entry for item in SUBSYSTEMS for entry in item.retention)]
    )
    reactions = [reaction for item in SUBSYSTEMS for reaction in item.reactions]
    listed = [job for item in SUBSYSTEMS for job in item.jobs]
    jobs = dict.fromkeys([mail.DELIVER, *listed, *(reaction.job for reaction in reactions)])
    schedules = [schedule for item in SUBSYSTEMS for schedule in item.schedules]
    relay = Relay(context.db, context.bus, reactions)
    runner = JobRunner(context, [*jobs, forget], [*schedules, nightly])
    works = [
        Background(name, partial(work, context)) for item in SUBSYSTEMS for name, work in item.works.items()
    ]
    return [
        Background("relay", relay.run),
        *works,
        Background("jobs", runner.run, stop_limit=25.0),
    ]


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
            meter=quotas.count_call,
            require_feature=quotas.require_feature,
            on_denied=record_denial,
        )


def _url(value: Secret | None, variable: str) -> str:
    if value is None:
        raise MissingPart(f"Set {variable}, or use `edgeflow-cloud up`, which brings its own.")
    return value.reveal()
