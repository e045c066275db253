"""The command line: `edgeflow-agent run | provision CODE | status | lock [REASON] | unlock | doctor`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import VERSION
from .logs import start_logging
from .settings import LOOPBACK_HOSTS, Settings, SettingsError, read_settings
from .state import FolderBusy, StateError, StateFolder, StoreUnreadable, Vault

if TYPE_CHECKING:
    from .link import Answer

_FAILED = 1
_MISUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code. What went wrong is one sentence on stderr."""
    parser = argparse.ArgumentParser(
        prog="edgeflow-agent",
        description="Connects this device to its EdgeFlow Cloud. Its settings are environment variables.",
    )
    parser.add_argument("--version", action="version", version=f"edgeflow-agent {VERSION}")
    verbs = parser.add_subparsers(
        dest="verb", required=True, metavar="run | provision | status | lock | unlock | doctor"
    )
    verbs.add_parser("run", help="connect and stay, in the foreground")
    provision = verbs.add_parser("provision", help="become the device that a one-time code makes")
    provision.add_argument(
        "code", help="the code from the console (Devices, Add device), like PROV-A1B2-C3D4"
    )
    verbs.add_parser("status", help="what the running agent says about itself")
    lock = verbs.add_parser("lock", help="hold off what the cloud wants of flows, until unlock")
    lock.add_argument("reason", nargs="*", help="why; the cloud shows it")
    verbs.add_parser("unlock", help="let updates from the cloud come again")
    verbs.add_parser("doctor", help="look at everything that this device needs, and say what is wrong")
    chosen = parser.parse_args(arguments)
    try:
        settings = read_settings()
    except SettingsError as error:
        return _say(str(error), _MISUSED)
    start_logging(settings.log_level, settings.log_format)
    try:
        match chosen.verb:
            case "run":
                return _run(settings)
            case "provision":
                return asyncio.run(_provision(settings, chosen.code))
            case "lock":
                return asyncio.run(_set_lock(settings, True, " ".join(chosen.reason)))
            case "unlock":
                return asyncio.run(_set_lock(settings, False, ""))
            case "doctor":
                return asyncio.run(_examine(settings))
            case _:
                return asyncio.run(_status(settings))
    except StateError as error:
        return _say(str(error), _FAILED)
    except KeyboardInterrupt:
        return 130


def _run(settings: Settings) -> int:
    code = asyncio.run(_run_agent(settings))
    logging.shutdown()
    return code


async def _run_agent(settings: Settings) -> int:
    from .app import Agent  # Only `run` pays for importing the whole agent.

    agent = Agent(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, agent.stop)
    await agent.run()
    # All is closed. A name lookup may still hang in a thread for a minute; nothing is lost by not waiting for
    # it.
    logging.shutdown()
    sys.stderr.flush()
    os._exit(0)


async def _provision(settings: Settings, code: str) -> int:
    """Through the running agent if there is one, else on its folder."""
    from .configuration import Configuration
    from .deploy.trust import Trust
    from .link import NotReady
    from .provisioning import ClaimFailed, ClaimRefused, Identity

    try:
        folder = StateFolder.open(settings.agent_dir)
    except FolderBusy:
        answer = await _ask_running(settings, "POST", "provision", {"provisioning_code": code})
        if answer is None:
            return _say(
                "The agent runs, but its local API does not answer, so it cannot be told the code.", _FAILED
            )
        if answer.status != 200:
            return _say(answer.error, _FAILED)
        print(f"Provisioned as {answer.object.get('device_id')}. The running agent connects now.")
        return 0
    try:
        vault = Vault(folder)
        trust = Trust(vault, allow_unsigned=settings.allow_unsigned_flows)
        trust.load()
        identity = Identity(settings, Configuration(settings, folder), vault, trust.pin)
        identity.load()
        credentials = await identity.provision(code)
    except (ClaimRefused, ClaimFailed, NotReady) as error:
        return _say(str(error), _FAILED)
    finally:
        folder.close()
    print(f"Provisioned as {credentials.device_id}. Start the agent with: edgeflow-agent run")
    return 0


async def _set_lock(settings: Settings, locked: bool, reason: str) -> int:
    """Through the running agent if there is one, else the file in its folder."""
    from .deploy.lock import UpdateLock

    said = "Updates are locked. Unlock with: edgeflow-agent unlock" if locked else "Updates come again."
    try:
        folder = StateFolder.open(settings.agent_dir)
    except FolderBusy:
        body = {"locked": locked, "reason": reason}
        answer = await _ask_running(settings, "PUT", "update-lock", body, root="/api/v1")
        if answer is None:
            return _say("The agent runs, but its local API does not answer; see its log.", _FAILED)
        if answer.status != 200:
            return _say(answer.error, _FAILED)
        print(said)
        return 0
    try:
        lock = UpdateLock(folder)
        if locked:
            lock.lock(reason)
        else:
            lock.unlock()
    finally:
        folder.close()
    print(said)
    return 0


async def _examine(settings: Settings) -> int:
    """0: nothing is wrong; 1: something is."""
    from .doctor import examine

    worst = 0
    async for finding in examine(settings):
        mark = {"ok": "ok", "warning": "warning", "problem": "PROBLEM"}[finding.state]
        print(f"{mark:8} {finding.topic}: {finding.sentence}")
        if finding.state == "problem":
            worst = _FAILED
    status = await _ask_running(settings, "GET", "status", None)
    if status is not None and status.status == 200:
        connected = status.object.get("connected") is True
        mark = "ok" if connected else "PROBLEM"
        print(f"{mark:8} tunnel: {status.object.get('status')}. {status.object.get('detail') or ''}".rstrip())
        worst = worst if connected else _FAILED
    return worst


async def _status(settings: Settings) -> int:
    """0: connected; 1: not."""
    answer = await _ask_running(settings, "GET", "status", None)
    if answer is None:
        return _status_of_folder(settings)
    if answer.status != 200:
        return _say(answer.error, _FAILED)
    found = answer.object
    device = found.get("device_id") or "not provisioned"
    print(f"{device}: {found.get('status')}")
    for name in (
        "detail",
        "uptime",
        "last_heartbeat",
        "next_attempt_at",
        "waiting_samples",
        "dropped_samples",
    ):
        if found.get(name):
            print(f"  {name.replace('_', ' ')}: {found[name]}")
    return 0 if found.get("connected") is True else _FAILED


def _status_of_folder(settings: Settings) -> int:
    try:
        folder = StateFolder.open(settings.agent_dir)
    except FolderBusy:
        return _say("The agent runs, but its local API does not answer; see its log.", _FAILED)
    try:
        stored = Vault(folder).load()
    except StoreUnreadable as error:
        return _say(str(error), _FAILED)
    finally:
        folder.close()
    device = settings.device_id or (stored.device_id if stored else "")
    print(f"{device}: the agent does not run." if device else "Not provisioned, and the agent does not run.")
    return _FAILED


async def _ask_running(
    settings: Settings, method: str, verb: str, body: object, *, root: str = "/api/v1/saas"
) -> Answer | None:
    """The running agent's answer, None when none listens."""
    from .link import CallFailed, CloudRest

    host = "127.0.0.1" if settings.server_host in (*LOOPBACK_HOSTS, "0.0.0.0", "::") else settings.server_host  # noqa: S104
    rest = CloudRest(f"{host}:{settings.server_port}", tls=False)
    with contextlib.suppress(CallFailed):
        return await rest.call(
            method, f"{root}/{verb}", body, bearer=settings.api_token, timeout=45.0 if body else 5.0
        )
    return None


def _say(sentence: str, code: int) -> int:
    print(f"edgeflow-agent: {sentence}", file=sys.stderr)
    return code
