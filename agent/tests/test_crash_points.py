"""The power goes at every operation of `state/` in turn: what is found afterwards is old or new, and whole.

Slots have theirs in `deploy/test_slots.py`, the vault alone in `test_state.py`. Here: provisioning with its keys, what
a person changed, what is desired with its secrets, the lock, and the journal of commands.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.tests.deploy.test_slots import Crash, DyingDisk
from edgeflow_agent.commands import Commands, Journal
from edgeflow_agent.configuration import Change, Configuration
from edgeflow_agent.deploy import Trust, UpdateLock
from edgeflow_agent.settings import Settings
from edgeflow_agent.shadow import NoEffects, ShadowRunner
from edgeflow_agent.state import Credentials, Database, Disk, StateFolder, Vault
from edgeflow_protocol.bundle import FlowKey, encode_base64, key_id_of
from edgeflow_protocol.frames import Command, Response

T = TypeVar("T")


def at_each_operation(
    tmp_path: Path,
    before: Callable[[StateFolder], object],
    change: Callable[[StateFolder], object],
    look: Callable[[StateFolder], T],
) -> list[T]:
    """What `look` finds after the power went at operation 0, 1, 2, … of `change`; the last one is of a whole run."""
    found: list[T] = []
    for survives in range(100):
        path = tmp_path / str(survives)
        folder = StateFolder.open(path)
        before(folder)
        folder.disk = DyingDisk(survives)
        try:
            change(folder)
            finished = True
        except Crash:
            finished = False
        folder.close()
        again = StateFolder.open(path)
        found.append(look(again))
        assert not [name for name in os.listdir(path) if name.endswith(".broken")], survives
        again.disk = Disk()
        change(again)  # And the next start can do it.
        assert look(again) == found[-1] or not finished
        again.close()
        if finished:
            assert survives >= 3
            return found
    raise AssertionError("it never finished")


def new_key() -> FlowKey:
    raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return FlowKey(key_id_of(raw), encode_base64(raw))


def test_a_device_that_has_credentials_has_its_keys(tmp_path: Path) -> None:
    key = new_key()

    def provision(folder: StateFolder) -> None:
        vault = Vault(folder, "machine")
        trust = Trust(vault, allow_unsigned=False)
        trust.load()
        trust.pin([key])
        vault.save(Credentials("dev_1", "efk_one_0123456789abcdef"))

    def look(folder: StateFolder) -> tuple[bool, bool]:
        vault = Vault(folder, "machine")
        trust = Trust(vault, allow_unsigned=False)
        trust.load()
        return vault.load() is not None, trust.demands_signatures

    found = at_each_operation(tmp_path, lambda folder: None, provision, look)
    assert (True, False) not in found
    assert found[0] == (False, False)
    assert found[-1] == (True, True)


def test_what_a_person_changed_is_old_or_new(tmp_path: Path) -> None:
    settings = Settings(server_url="one:1")

    def look(folder: StateFolder) -> str:
        return Configuration(settings, folder).current.server_url

    found = at_each_operation(
        tmp_path,
        lambda folder: Configuration(settings, folder).change(Change(server_url="two:2")),
        lambda folder: Configuration(settings, folder).change(Change(server_url="three:3")),
        look,
    )
    assert found == sorted(found, reverse=True)  # two …, then three.
    assert set(found) == {"two:2", "three:3"}


class Seen(NoEffects):
    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def set_secrets(self, values: Mapping[str, str]) -> None:
        self.secrets = dict(values)


def test_what_is_desired_is_old_or_new_and_secrets_open(tmp_path: Path) -> None:
    def runner(folder: StateFolder) -> tuple[ShadowRunner, Seen]:
        seen = Seen()
        shadow = ShadowRunner(
            folder, log_level="info", metrics_interval=10, set_metrics_interval=lambda seconds: None, effects=seen,
            vault=Vault(folder, "machine"),
        )  # fmt: skip
        shadow.load()
        return shadow, seen

    def desire(level: str) -> Callable[[StateFolder], object]:
        return lambda folder: runner(folder)[0].accept_desired(
            {"log_level": level, "secrets": {"TOKEN": level}}, 1
        )

    def look(folder: StateFolder) -> tuple[object, str]:
        shadow, seen = runner(folder)
        return shadow.desired["log_level"], seen.secrets["TOKEN"]

    found = at_each_operation(tmp_path, desire("info"), desire("debug"), look)
    # Secrets are written first; a device that dies in between has the new ones, and is told the rest again.
    assert list(dict.fromkeys(found)) == [("info", "info"), ("info", "debug"), ("debug", "debug")]


def test_the_lock_is_there_or_not(tmp_path: Path) -> None:
    found = at_each_operation(
        tmp_path,
        lambda folder: None,
        lambda folder: UpdateLock(folder).lock("The press runs."),
        lambda folder: (UpdateLock(folder).locked, UpdateLock(folder).reason),
    )
    assert set(found) == {(False, ""), (True, "The press runs.")}


class DyingDatabase(Database):
    """Dies at its n-th step: before a transaction, or between its commit and whoever waits for it."""

    left = 0

    def _transact(self, work: Callable[[sqlite3.Connection], T], lazily: bool) -> T:
        self._tick()
        result = super()._transact(work, lazily)
        self._tick()
        return result

    def _tick(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Dead


class Dead(Exception):
    """The process is gone: nothing that it would do next happens."""


@pytest.mark.parametrize("survives", range(6))
async def test_a_command_runs_at_most_once_wherever_the_journal_dies(tmp_path: Path, survives: int) -> None:
    ran: list[str] = []
    answers: list[Response] = []

    async def count(payload: Mapping[str, object]) -> object:
        ran.append(str(payload["id"]))
        return {"ran": len(ran)}

    async def send(response: Response) -> None:
        answers.append(response)

    async def serve(kind: type[Database], left: int, seconds: float) -> None:
        folder = StateFolder.open(tmp_path)
        database = kind.open(folder)
        if isinstance(database, DyingDatabase):
            database.left = left
        commands = Commands(Journal(database), {"count": count}, send)
        task = asyncio.create_task(commands.run())
        commands.receive(Command("c1", "count", {"id": "c1"}))
        await asyncio.wait([task], timeout=seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        database.close()
        folder.close()

    await serve(DyingDatabase, survives, 0.2)
    first = list(ran)
    for _ in range(2):
        await serve(Database, 0, 0.2)
    assert len(ran) <= 1
    # It died before the journal knew of it: then, and only then, it runs now.
    assert ran == (first or (["c1"] if survives == 0 else first))
    assert answers[-1].id == "c1"
    if survives == 1:
        assert "not known" in answers[-1].error or answers[-1].succeeded
