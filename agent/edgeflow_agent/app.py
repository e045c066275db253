"""Puts the agent together and runs it. Here, and only here, the parts meet."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random

import msgspec

from edgeflow_protocol import clock
from edgeflow_protocol.capabilities import Capability
from edgeflow_protocol.frames import (
    Ack,
    CloudFrame,
    Command,
    DeviceFrame,
    Error,
    Response,
    ShadowAccepted,
    ShadowDesired,
    Telemetry,
)
from edgeflow_protocol.telemetry import FlowTotals

from . import VERSION
from .api import Guard, HttpServer, LiveFeed, Request, Routes, serve_feed
from .commands import Commands, Journal, make_verbs
from .configuration import Change, Configuration
from .deploy import Trial, UpdateLock
from .engine import Engine
from .flows import Flows
from .link import NotReady, Pace, Session, Target, Tunnel
from .link.offset import WORTH_SAYING, spell_offset
from .pins import Pins, open_board
from .provisioning import Identity, hardware_facts, network_facts
from .runtime import FlowRuntime
from .settings import Settings
from .shadow import ShadowRunner, ShadowSync
from .state import Database, Disk, StateFolder, Vault
from .telemetry import Batch, Collector, Readings, Sender, Spool
from .telemetry.readings import spell_duration
from .telling import Telling

_log = logging.getLogger(__name__)


class Agent:
    """One agent on one state folder. `run` works until it is cancelled or `stop` is called, and leaves
    nothing open.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        pace: Pace | None = None,
        disk: Disk | None = None,
        dice: Random | None = None,
        trial: Trial | None = None,
    ) -> None:
        """Takes the folder and reads what is in it. Raises StateError, and then holds nothing."""
        self.settings = settings
        self.boot_id = os.urandom(8).hex()
        self.readings = Readings()
        self.api_port: int | None = None
        self._started = time.monotonic()
        self._stopping = asyncio.Event()
        self._pace = pace or Pace()
        self._trial = trial
        self._clock_wrong = False
        self._folder = StateFolder.open(settings.agent_dir, disk)
        try:
            self._database = Database.open(self._folder)
            self._compose(dice)
        except BaseException:
            self._folder.close()
            raise

    def _compose(self, dice: Random | None) -> None:
        settings = self.settings
        vault = Vault(self._folder)
        self.configuration = Configuration(settings, self._folder)
        self.telling = Telling(self._database, self.boot_id, self._pace.answer)
        self.pins = Pins(open_board(settings.board))
        self.runtime = FlowRuntime(
            self._folder,
            vault,
            self.pins,
            allow_unsigned=settings.allow_unsigned_flows,
            target=self._target,
            report=self._report,
            happened=self.telling.happened,
            told=self.telling.engine_event,
            trial=self._trial,
        )
        self.telling.feed.changed = self.runtime.watch
        self.runtime.load()
        self.identity = Identity(settings, self.configuration, vault, self.runtime.trust.pin)
        self.identity.load()
        self.spool = Spool(self._database, self.boot_id, settings.spool_bytes)
        self.sender = Sender(self.spool, self._pace.answer, _telemetry_frame)
        self.collector = Collector(
            self.readings, self.spool, settings.metrics_interval, self.sender.wake, self._count_flows
        )
        self.shadow = ShadowRunner(
            self._folder,
            log_level=settings.log_level,
            metrics_interval=settings.metrics_interval,
            set_metrics_interval=self.collector.set_interval,
            effects=self.runtime.effects,
            vault=vault,
        )
        self.shadow.load()
        self.sync = ShadowSync(self.shadow, self._facts, self._vitals, self._target, self._pace)
        self.tunnel = Tunnel(
            self.identity.identify,
            self._receive,
            self._serve,
            boot_id=self.boot_id,
            capabilities=tuple(Capability),
            heartbeat_interval=settings.heartbeat_interval,
            max_attempts=settings.max_reconnect_attempts,
            pace=self._pace,
            dice=dice,
        )
        verbs = make_verbs(
            started=self._started,
            readings=self.readings,
            runner=self.shadow,
            device_id=self._device_id,
            shadow_changed=self.sync.request,
            flows=self.runtime.flows,
            engine=self.runtime.engine,
            pins=self.pins,
        )
        self.commands = Commands(Journal(self._database), verbs, self._send)

    async def run(self) -> None:
        """Work until stopped. Raises StateError when the folder cannot be written at all."""
        # Names are looked up and sensors read here; two threads are enough, and each costs memory.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2, thread_name_prefix="agent"))
        server = HttpServer(Routes(self, Guard(self.settings.api_token)).handle, self._watch)
        try:
            await self.spool.open()
            await self.telling.open()
            await self._listen(server)
            _log.info("edgeflow-agent %s runs; its state is in %s.", VERSION, self.settings.agent_dir)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.collector.run(), name="collector")
                    group.create_task(self.commands.run(), name="commands")
                    group.create_task(self.runtime.run(autostart=self.shadow.autostart), name="flows")
                    for work in self.telling.works:
                        group.create_task(work(), name="reports")
                    group.create_task(self.tunnel.run(), name="tunnel")
                    group.create_task(self._stop_when_asked(), name="stop")
            except* _Stopped:
                pass
        finally:
            await server.stop()
            await self.runtime.close()
            self.telling.close()
            self._database.close()
            self._folder.close()
            _log.info("edgeflow-agent has stopped.")

    def stop(self) -> None:
        """End gracefully: the cloud is told with close code 1000. Safe to call twice, and from a signal
        handler.
        """
        self._stopping.set()

    # --- what the local API offers
    # ----------------------------------------------------------------------------

    def describe_config(self) -> dict[str, object]:
        """`GET saas/config`."""
        config, credentials = self.configuration.current, self.identity.credentials
        return {
            "enabled": config.enabled,
            "server_url": config.server_url,
            "device_id": credentials.device_id if credentials else "",
            "api_key": mask(credentials.api_key) if credentials else "",
            "provisioning_code": config.provisioning_code,
            "enable_tls": config.enable_tls,
            "is_provisioned": credentials is not None,
            "is_connected": self.tunnel.connected,
        }

    async def change_config(self, change: Change) -> dict[str, object]:
        """`PUT saas/config`: what is given is kept and counts at once; what is absent stays."""
        before, credentials = self.configuration.current, self.identity.credentials
        known = credentials.api_key if credentials else ""
        device_id = change.device_id or (credentials.device_id if credentials else "")
        api_key = change.api_key or known
        if api_key == mask(known):  # The form was sent back as it was shown.
            api_key = known
        self.configuration.change(change)
        changed = self.configuration.current != before
        if (device_id, api_key) != (credentials.device_id if credentials else "", known):
            await self.identity.adopt(device_id, api_key)
            changed = True
        if changed:
            self.identity.forget_refusals()
            self.tunnel.reconnect()
        return self.describe_config()

    async def describe_status(self) -> dict[str, object]:
        """`GET saas/status`: the published fields, then ours."""
        status, heard = self.tunnel.status, self.tunnel.heard_at()
        now = datetime.now(UTC)
        since = status.connected_since
        return {
            "connected": self.tunnel.connected,
            "device_id": self._device_id(),
            "status": status.status,
            "last_heartbeat": clock.format_time(heard) if heard else "",
            "uptime": spell_duration((now - since).total_seconds()) if since else "",
            "detail": status.detail,
            "failures": status.failures,
            "next_attempt_at": clock.format_time(status.next_attempt_at) if status.next_attempt_at else None,
            "agent_version": VERSION,
            "boot_id": self.boot_id,
            "waiting_samples": await self.spool.waiting(),
            "dropped_samples": self.spool.dropped,
        }

    async def provision(self, code: str) -> dict[str, object]:
        """`POST saas/provision`: become the device that the code makes, and connect as it."""
        credentials = await self.identity.provision(code)
        self.tunnel.connect()
        self.tunnel.reconnect()
        return {"device_id": credentials.device_id, "api_key": mask(credentials.api_key)}

    def connect(self) -> str:
        """`POST saas/connect`."""
        if self.tunnel.connected:
            return "Already connected"
        self.identity.forget_refusals()
        self.tunnel.connect()
        return "Connecting…"

    def disconnect(self) -> str:
        """`POST saas/disconnect`: away until `connect` or the next start."""
        self.tunnel.disconnect()
        return "Disconnected"

    @property
    def flows(self) -> Flows:
        """The flows, for the local API."""
        return self.runtime.flows

    @property
    def engine(self) -> Engine:
        """The engine, for the local API."""
        return self.runtime.engine

    @property
    def lock(self) -> UpdateLock:
        """Whether updates are held off."""
        return self.runtime.lock

    @property
    def feed(self) -> LiveFeed:
        """Who watches, for the local API."""
        return self.telling.feed

    async def set_lock(self, locked: bool, reason: str) -> None:
        """`PUT update-lock`. Raises StateError."""
        await asyncio.to_thread(self.lock.lock, reason) if locked else await asyncio.to_thread(
            self.lock.unlock
        )
        code, what = ("update_locked", "locked") if locked else ("update_unlocked", "unlocked")
        self.telling.happened("info", code, f"Updates were {what} on the device. {reason}".strip())
        self.runtime.keeper.wake()

    # --- between the parts
    # ------------------------------------------------------------------------------------

    def _receive(self, frame: CloudFrame) -> None:
        match frame:
            case Command():
                self.commands.receive(frame)
            case Ack():
                self.sender.acknowledged(frame)
                self.telling.acknowledged(frame)
            case ShadowDesired() | ShadowAccepted() | Response() | Error():
                if not self.sync.receive(frame) and not isinstance(frame, Error):
                    _log.debug("An answer came for something that is not waited for.")
            case _:
                pass

    async def _serve(self, session: Session) -> None:
        self._look_at_clock(session.clock_offset)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.commands.resume(), name="late answers")
            group.create_task(self.sync.serve(session), name="shadow")
            group.create_task(self.sender.serve(session), name="telemetry")
            group.create_task(self.telling.serve(session), name="reports")
            if session.capabilities:
                group.create_task(self.runtime.source.follow_keys(), name="flow keys")

    async def _send(self, frame: DeviceFrame) -> None:
        await self.tunnel.send(frame)

    def _count_flows(self) -> FlowTotals:
        return msgspec.convert(self.runtime.engine.totals(), FlowTotals, from_attributes=True)

    def _look_at_clock(self, offset: float) -> None:
        """A wrong clock is said once; nothing here depends on it."""
        wrong = abs(offset) > WORTH_SAYING
        if wrong and not self._clock_wrong:
            said = f"This device's clock is {spell_offset(offset)} the cloud's. Turn on time synchronization."
            _log.warning(said)
            self.telling.happened("warning", "clock_off", said, offset_seconds=round(offset))
        self._clock_wrong = wrong

    def _report(self, change: Mapping[str, object]) -> None:
        """Something of `reported` changed by itself."""
        self.shadow.note(change)
        self.sync.request(change)

    async def _watch(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await serve_feed(self.feed, request, reader, writer)

    def _device_id(self) -> str:
        credentials = self.identity.credentials
        return credentials.device_id if credentials else ""

    def _target(self) -> Target | None:
        credentials = self.identity.credentials
        try:
            return (
                Target(self.identity.rest(), credentials.device_id, credentials.api_key)
                if credentials
                else None
            )
        except NotReady:
            return None

    def _facts(self) -> dict[str, object]:
        """What is reported at each connect. Blocks for milliseconds."""
        rest = self._target()
        network = network_facts(rest.rest.host, rest.rest.port) if rest else network_facts()
        return {
            "online": True,
            "agent_version": VERSION,
            "boot_id": self.boot_id,
            "last_updated": clock.format_time(datetime.now(UTC)),
            "hardware": hardware_facts(),
            "network": network,
        }

    def _vitals(self) -> dict[str, object]:
        return {"telemetry": {"dropped_samples": self.spool.dropped}}

    async def _listen(self, server: HttpServer) -> None:
        """The local API is a convenience: without it the tunnel goes on."""
        host, port = self.settings.server_host, self.settings.server_port
        try:
            self.api_port = await server.start(host, port)
            _log.info("The local API listens on http://%s:%d/api/v1.", host, self.api_port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f"port {port} is taken by another program. Set EDGEFLOW_SERVER_PORT to a free one"
            elif error.errno == errno.EACCES:
                reason = f"port {port} needs more rights. Set EDGEFLOW_SERVER_PORT to one above 1023"
            else:
                reason = (
                    f"{host} cannot be listened on ({error.strerror or error}). Check EDGEFLOW_SERVER_HOST"
                )
            _log.error("The local API is off: %s. The rest of the agent goes on.", reason)

    async def _stop_when_asked(self) -> None:
        await self._stopping.wait()
        await self.tunnel.stop()
        raise _Stopped


class _Stopped(Exception):
    """Ends the task group when the agent was asked to stop."""


def mask(key: str) -> str:
    """A key as it may be shown: first 12 and last 4 characters, as published; a short one not at all."""
    return f"{key[:12]}…{key[-4:]}" if len(key) >= 32 else "…" if key else ""


def _telemetry_frame(batch: Batch) -> Telemetry:
    return Telemetry(batch.boot_id, batch.sequence, batch.samples)
