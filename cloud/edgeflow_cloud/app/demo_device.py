"""The demo device: a real agent in a process and a folder of its own, which a first start brings to life."""

import asyncio
import secrets as random_secrets
import signal
import sys
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

import httpx2
import msgspec
import structlog

from edgeflow_cloud.infra.embedded.ports import free_ports
from edgeflow_cloud.infra.embedded.process import Child, end_left_behind, ended, spawn
from edgeflow_cloud.infra.settings import Settings

log = structlog.get_logger("edgeflow.demo_device")

_MODULE = "edgeflow_agent"
_POLL = 0.1
_PATIENCE = 60.0
"""Seconds after which a device that is not online yet is said to be late."""


class _Status(msgspec.Struct):
    connected: bool
    device_id: str = ""
    detail: str = ""


class _Config(msgspec.Struct):
    is_provisioned: bool


class DemoDeviceEnded(Exception):
    """The agent's process is gone; the supervisor starts it again."""


class DemoDevice:
    """Service: the agent's process. It provisions the agent through the agent's own published local API.

    `make_code` gives a provisioning code, or None when nobody is there to own a device. `announce` is called when
    the device is online for the first time (True, its id), or late (False, why).
    """

    name = "demo device"
    restarts = True
    stop_limit = 8.0

    def __init__(
        self,
        settings: Settings,
        make_code: Callable[[], Awaitable[str | None]],
        announce: Callable[[bool, str], None],
    ) -> None:
        self._settings = settings
        self._make_code = make_code
        self._announce = announce
        self._announced = False
        self._stopping = False
        self._child: Child | None = None
        self.folder = settings.data_dir.absolute() / "demo-device"

    @staticmethod
    def installed() -> bool:
        """Whether the agent is there to be run."""
        return find_spec(_MODULE) is not None

    async def start(self) -> None:
        """Nothing waits for it."""

    async def run(self) -> None:
        """Run the agent, see it online, and watch it. Raises DemoDeviceEnded when its process ends."""
        port = free_ports(1)[0]
        token = random_secrets.token_urlsafe(24)
        child = self._child = await asyncio.to_thread(self._spawn, port, token)
        watch = asyncio.create_task(ended(child))
        bring = asyncio.create_task(self._bring_online(port, token))
        try:
            await asyncio.wait([watch, bring], return_when=asyncio.FIRST_COMPLETED)
            if bring.done():
                bring.result()
            await watch
        finally:
            watch.cancel()
            bring.cancel()
            await asyncio.wait([watch, bring])
        if not self._stopping:
            raise DemoDeviceEnded(f"exit code {child.process.poll()}: {child.log_tail()[-500:]}")

    async def stop(self) -> None:
        """End the agent's process."""
        self._stopping = True
        if self._child is not None:
            await asyncio.to_thread(self._child.stop)

    def hasten(self) -> None:
        """End it at once."""
        self._stopping = True
        if self._child is not None:
            self._child.kill()

    def _spawn(self, port: int, token: str) -> Child:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        logs = self.folder.parent / "log"
        logs.mkdir(exist_ok=True, mode=0o700)
        python = Path(sys.executable).name
        end_left_behind(python, self.folder, signal.SIGTERM, patience=4, argument=_MODULE)
        return spawn(
            "The demo device",
            [sys.executable, "-m", _MODULE, "run"],
            folder=self.folder,
            log=logs / "demo-device.log",
            patience=5,
            environment={
                "EDGEFLOW_SAAS_URL": self._address(),
                "EDGEFLOW_SAAS_TLS": "true" if self._settings.tls_cert else "false",
                "EDGEFLOW_AGENT_DIR": str(self.folder),
                "EDGEFLOW_SERVER_PORT": str(port),
                "EDGEFLOW_API_TOKEN": token,
                "EDGEFLOW_AGENT_BOARD": "simulated",  # so that pins can be tried out
            },
        )

    def _address(self) -> str:
        """Where this cloud is, seen from this machine; with TLS, the name that its certificate bears."""
        if self._settings.tls_cert:
            url = httpx2.URL(self._settings.public_url)
            return f"{url.host}:{url.port or 443}"
        host = self._settings.host
        try:
            if ip_address(host).is_unspecified:
                host = "::1" if ":" in host else "127.0.0.1"
        except ValueError:
            pass  # a name
        return f"[{host}]:{self._settings.port}" if ":" in host else f"{host}:{self._settings.port}"

    async def _bring_online(self, port: int, token: str) -> None:
        """Provision the agent if it is nobody yet, wait until it is connected, and say so."""
        loop = asyncio.get_running_loop()
        late = loop.time() + _PATIENCE
        told = self._announced
        status = _Status(False)
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/api/v1/saas/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
        ) as api:
            while True:
                try:
                    status = msgspec.json.decode((await api.get("status")).content, type=_Status)
                    if status.connected:
                        break
                    if not status.device_id:
                        await self._provision(api)
                except (httpx2.HTTPError, msgspec.MsgspecError) as error:
                    log.debug("demo device not reached", error=str(error))
                if not told and loop.time() > late:
                    told = True
                    self._announce(False, status.detail or "its own API does not answer")
                await asyncio.sleep(_POLL)
        if not self._announced:
            self._announced = True
            self._announce(True, status.device_id)

    async def _provision(self, api: httpx2.AsyncClient) -> None:
        config = msgspec.json.decode((await api.get("config")).content, type=_Config)
        code = None if config.is_provisioned else await self._make_code()
        if code is not None:
            answer = await api.post("provision", json={"provisioning_code": code})
            if answer.is_error:
                log.warning(
                    "demo device not provisioned", status=answer.status_code, answer=answer.text[:300]
                )
                await asyncio.sleep(2)
