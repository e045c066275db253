"""`edgeflow-agent doctor`: looks at everything that a device needs, and says what is wrong and what to do.

It changes nothing. Where the agent runs it is asked; where it does not, its folder is looked at.
"""

from __future__ import annotations

import grp
import os
import platform
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from .configuration import Configuration
from .deploy import FlowStore, Trust, UpdateLock
from .link import CallFailed, CloudRest
from .link.offset import WORTH_SAYING, spell_offset
from .settings import Settings
from .state import FolderBusy, StateError, StateFolder, StoreUnreadable, Vault

State = Literal["ok", "warning", "problem"]
_GROUPS = {"gpio": "/dev/gpiochip0", "i2c": "/dev/i2c-1", "spi": "/dev/spidev0.0", "dialout": "/dev/ttyS0"}
_LEAST_FREE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    topic: str
    state: State
    sentence: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything, in the order in which things fail."""
    yield _python()
    for finding in _folder(settings):
        yield finding
    yield _disk(settings)
    for finding in _groups():
        yield finding
    async for finding in _cloud(settings):
        yield finding


def _python() -> Finding:
    version = platform.python_version()
    return Finding(
        "python", "ok", f"Python {version} on {platform.machine()}, {platform.system()} {platform.release()}."
    )


def _folder(settings: Settings) -> list[Finding]:
    path = settings.agent_dir
    if not path.exists():
        return [Finding("state", "warning", f"{path} is not there yet; the first start makes it.")]
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return [
            Finding(
                "state",
                "problem",
                f"{path} belongs to another user. Run this as that user (sudo -u edgeflow edgeflow-agent doctor).",
            )
        ]
    try:
        folder = StateFolder.open(path)
    except FolderBusy:
        return [Finding("state", "ok", f"{path} is in use: the agent runs. It is asked below.")]
    except StateError as error:
        return [Finding("state", "problem", str(error))]
    try:
        return [Finding("state", "ok", f"{path} can be written."), *_stored(settings, folder)]
    finally:
        folder.close()


def _stored(settings: Settings, folder: StateFolder) -> list[Finding]:
    """What is in the folder of an agent that does not run."""
    findings = [Finding("agent", "warning", "The agent does not run. Start it with: edgeflow-agent run")]
    vault = Vault(folder)
    try:
        credentials = vault.load()
    except (StoreUnreadable, StateError) as error:
        findings.append(Finding("credentials", "problem", str(error)))
    else:
        device = settings.device_id or (credentials.device_id if credentials else "")
        if device:
            findings.append(Finding("credentials", "ok", f"This is {device}."))
        else:
            findings.append(
                Finding(
                    "credentials", "problem", "Not provisioned. Give it a code: edgeflow-agent provision CODE"
                )
            )
    try:
        stored = vault.open("flow-keys", "pinned flow keys")
        trust = Trust(vault, allow_unsigned=settings.allow_unsigned_flows)
        if stored is not None:
            trust.load()
        keys = ", ".join(key.key_id for key in trust.keys if not key.retired)
        said = (
            f"Flows from the cloud must be signed with {keys}."
            if keys
            else "No key is pinned: unsigned flows are taken."
        )
        findings.append(Finding("flow keys", "ok" if keys else "warning", said))
    except (StoreUnreadable, StateError) as error:
        findings.append(Finding("flow keys", "problem", str(error)))
    states, troubles = FlowStore(folder).look()
    findings += [Finding("flows", "problem", trouble) for trouble in troubles]
    if not troubles:
        findings.append(Finding("flows", "ok", f"{len(states)} flows, all whole."))
    lock = UpdateLock(folder)
    if lock.locked:
        findings.append(Finding("updates", "warning", lock.sentence))
    return findings


def _disk(settings: Settings) -> Finding:
    path = settings.agent_dir
    while not path.exists():
        path = path.parent
    try:
        free = shutil.disk_usage(path).free
    except OSError as error:
        return Finding("disk", "problem", f"The disk at {path} cannot be asked: {error.strerror}.")
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return Finding("disk", "problem", f"The disk at {path} is read-only. Remount it writable.")
    if free < _LEAST_FREE:
        return Finding("disk", "problem", f"Only {free // 2**20} MB are free at {path}. Free some space.")
    return Finding("disk", "ok", f"{free / 2**30:.1f} GB are free at {path}.")


def _groups() -> list[Finding]:
    """Only where there is something to use: a group that a machine does not have is nothing to complain of."""
    if os.geteuid() == 0:
        return []
    mine = set(os.getgroups())
    findings: list[Finding] = []
    for name, device in _GROUPS.items():
        if not Path(device).exists() or os.access(device, os.R_OK | os.W_OK):
            continue
        try:
            member = grp.getgrnam(name).gr_gid in mine
        except KeyError:
            member = False
        if not member:
            findings.append(
                Finding(
                    name,
                    "warning",
                    f"{device} cannot be used: run sudo usermod -aG {name} $USER, and log in anew.",
                )
            )
    return findings


async def _cloud(settings: Settings) -> AsyncIterator[Finding]:
    config = await _configured(settings)
    if isinstance(config, Finding):
        yield config
        return
    address, tls = config
    try:
        rest = CloudRest(address, tls=tls)
        before = datetime.now(UTC)
        answer = await rest.call("GET", "/api/v1/instance", timeout=10.0)
    except (CallFailed, OSError) as error:
        yield Finding("cloud", "problem", str(error))
        return
    if answer.status != 200 or "version" not in answer.object:
        yield Finding(
            "cloud", "problem", f"What answers at {address} is not an EdgeFlow Cloud (HTTP {answer.status})."
        )
        return
    secured = "over TLS" if tls else "without TLS: what is sent can be read on the way"
    yield Finding("cloud", "ok" if tls else "warning", f"{address} answers, {secured}.")
    there = answer.date
    if there is not None:
        off = (before - there).total_seconds()
        if abs(off) > WORTH_SAYING:
            yield Finding(
                "clock",
                "problem",
                f"This device's clock is {spell_offset(off)} the cloud's. Certificates and measurements need the right "
                "time: turn on time synchronization (timedatectl set-ntp true).",
            )
        else:
            yield Finding("clock", "ok", "The clock agrees with the cloud's.")


async def _configured(settings: Settings) -> tuple[str, bool] | Finding:
    """The cloud as it is configured: by the running agent, else by the environment and the folder."""
    host = "127.0.0.1" if settings.server_host in ("0.0.0.0", "::", "localhost") else settings.server_host  # noqa: S104
    local = CloudRest(f"{host}:{settings.server_port}", tls=False)
    try:
        answer = await local.call("GET", "/api/v1/saas/config", bearer=settings.api_token, timeout=3.0)
        found = answer.object
        url, tls = found.get("server_url"), found.get("enable_tls")
        if answer.status == 200 and isinstance(url, str) and isinstance(tls, bool):
            return (url, tls) if url else _unconfigured()
    except CallFailed:
        pass
    url, tls = settings.server_url, settings.enable_tls
    if settings.agent_dir.exists():
        try:
            folder = StateFolder.open(settings.agent_dir)
        except StateError:
            folder = None
        if folder is not None:
            try:
                current = Configuration(settings, folder).current
                url, tls = current.server_url, current.enable_tls
            except StateError:
                pass
            finally:
                folder.close()
    return (url, tls) if url else _unconfigured()


def _unconfigured() -> Finding:
    return Finding("cloud", "problem", "No cloud is configured. Set EDGEFLOW_SAAS_URL to its host:port.")
