"""`edgeflow-cloud up`: the parts, the schema, the owner, all roles and a first device, in one process."""

import asyncio
import os
import time
from importlib import import_module
from typing import TYPE_CHECKING

from edgeflow_cloud import __version__
from edgeflow_cloud.app.collector import settle_collector
from edgeflow_cloud.app.demo_device import DemoDevice
from edgeflow_cloud.app.terminal import Terminal
from edgeflow_cloud.infra.embedded import Parts, parts_for
from edgeflow_cloud.infra.embedded.ports import free_ports, is_free
from edgeflow_cloud.infra.origins import Loaded
from edgeflow_cloud.infra.schema import bring_up_to_date
from edgeflow_cloud.infra.settings import Settings
from edgeflow_cloud.infra.supervisor import Supervisor

if TYPE_CHECKING:
    from edgeflow_cloud.app.cloud import Cloud

_NOUNS = {"database": "PostgreSQL", "valkey": "Valkey", "objects": "S3 store"}


async def up(loaded: Loaded, terminal: Terminal) -> None:
    """Run everything until a signal. What goes wrong comes through after all that was started has ended."""
    terminal.title(f"EdgeFlow Cloud {__version__}")
    for warning in loaded.warnings:
        terminal.warn(warning)
    settings = _with_real_port(loaded.settings)

    def on_signal(again: bool) -> None:
        terminal.note("Ending at once." if again else "Ending. Press Ctrl-C again to hasten it.")

    async with Supervisor(on_signal=on_signal) as supervisor:
        await _bring_up(supervisor, loaded, settings, terminal)
        settle_collector()
        await supervisor.wait()
    terminal.note(f"Ended. Your data is in {_short(settings)}.")


async def _bring_up(supervisor: Supervisor, loaded: Loaded, settings: Settings, terminal: Terminal) -> None:
    secrets = loaded.secrets()
    began = time.monotonic()
    parts = parts_for(settings, secrets)
    # Reading our own code takes as long as the parts take to start: both at once.
    reading = asyncio.create_task(asyncio.to_thread(import_module, "edgeflow_cloud.app.cloud"))
    await supervisor.start(parts)
    if parts.parts:
        names = ", ".join(_NOUNS[part.name] for part in parts.parts)
        terminal.step(f"{names} ready", time.monotonic() - began)
    settings = _filled(settings, parts)

    began = time.monotonic()
    revisions = await bring_up_to_date(settings.database_url.reveal() if settings.database_url else "")
    if revisions:
        terminal.step(f"Database brought to schema {revisions[-1]}", time.monotonic() - began)

    began = time.monotonic()
    await reading
    from edgeflow_cloud.app.cloud import Cloud

    cloud = Cloud(settings, secrets)
    await supervisor.start(cloud)
    password = await cloud.ensure_owner()
    try:
        for service in cloud.services():
            await supervisor.start(service)
        terminal.step("Cloud ready", time.monotonic() - began)
    finally:
        # Whatever comes: the password is stored as a hash only, and this is the one time that it is known.
        _say_login(terminal, settings, password)
    if settings.demo_device:
        await _start_demo_device(supervisor, cloud, settings, terminal)


def _with_real_port(settings: Settings) -> Settings:
    """Port 0 becomes a number, and a taken port is told before anything was started. Raises PortTaken."""
    if settings.port == 0:
        return settings.with_port(free_ports(1)[0])
    if not is_free(settings.port, settings.host):
        from edgeflow_cloud.app.server import listen_on

        listen_on(settings.host, settings.port).close()  # knows the reason
    return settings


def _filled(settings: Settings, parts: Parts) -> Settings:
    return settings.with_parts(
        database_url=parts.database_url, valkey_url=parts.valkey_url, s3_url=parts.s3_url
    )


def _say_login(terminal: Terminal, settings: Settings, password: str | None) -> None:
    terminal.blank()
    terminal.fact("Console", settings.public_url)
    terminal.fact("Login", settings.owner_email)
    if password is not None:
        terminal.fact("Password", password, "shown this once: change it under Profile")
    terminal.fact("Data", _short(settings))
    if settings.loopback_only:
        terminal.note("Only this machine can reach it. EDGEFLOW_HOST=0.0.0.0 lets real devices in.")
    terminal.blank()


async def _start_demo_device(
    supervisor: Supervisor, cloud: "Cloud", settings: Settings, terminal: Terminal
) -> None:
    if not DemoDevice.installed():
        terminal.note("No demo device: edgeflow-agent is not installed here.")
        return
    began = time.monotonic()

    def announce(online: bool, what: str) -> None:
        if online:
            seconds = time.monotonic() - began
            terminal.online(f"Demo device online ({what}, {seconds:.1f} s). Ctrl-C ends everything.")
        else:
            log = settings.data_dir / "log" / "demo-device.log"
            terminal.warn(f"The demo device is not online yet: {what} Its log is {log}.")

    await supervisor.start(DemoDevice(settings, cloud.make_demo_code, announce))


def _short(settings: Settings) -> str:
    """The data folder as a person would type it here."""
    relative = os.path.relpath(settings.data_dir)
    return str(settings.data_dir.absolute()) if relative.startswith("..") else f"./{relative}"


def run_up(loaded: Loaded, terminal: Terminal) -> None:
    """`up` in an event loop of its own."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(up(loaded, terminal))
