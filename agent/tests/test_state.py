"""The state folder: whole files at every crash point, one holder, and credentials that only open here."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from edgeflow_agent.state import (
    Credentials,
    Database,
    Disk,
    FolderBusy,
    StateError,
    StateFolder,
    StoreUnreadable,
    Vault,
)

ONE = Credentials("dev_1", "efk_one_0123456789abcdef")
TWO = Credentials("dev_1", "efk_two_0123456789abcdef")


class Crash(BaseException):
    """The power went."""


class DyingDisk(Disk):
    """Dies at its n-th operation: before it, or in the middle of a write."""

    def __init__(self, survives: int) -> None:
        self.left = survives

    def _tick(self) -> None:
        if self.left == 0:
            raise Crash
        self.left -= 1

    def write(self, path: Path, data: bytes, mode: int) -> None:
        if self.left == 0:
            super().write(path, data[: len(data) // 2], mode)
        self._tick()
        super().write(path, data, mode)

    def sync(self, path: Path) -> None:
        self._tick()
        super().sync(path)

    def rename(self, source: Path, target: Path) -> None:
        self._tick()
        super().rename(source, target)


class FailingDisk(Disk):
    def __init__(self, code: int) -> None:
        self.code = code

    def write(self, path: Path, data: bytes, mode: int) -> None:
        raise OSError(self.code, os.strerror(self.code))


def test_killed_at_any_operation_the_store_is_old_or_new_and_whole(tmp_path: Path) -> None:
    outcomes: list[str] = []
    for survives in range(20):
        folder = StateFolder.open(tmp_path / str(survives))
        Vault(folder, "machine").save(ONE)
        folder.disk = DyingDisk(survives)
        try:
            Vault(folder, "machine").save(TWO)
            finished = True
        except Crash:
            finished = False
        folder.close()
        reopened = StateFolder.open(tmp_path / str(survives))
        found = Vault(reopened, "machine").load()
        assert found in (ONE, TWO)
        assert not finished or found == TWO
        outcomes.append("new" if found == TWO else "old")
        reopened.close()
        if finished:
            break
    assert outcomes == ["old", "old", "old", "new", "new"]


def test_killed_at_any_operation_of_the_first_store_there_is_none_or_the_whole(tmp_path: Path) -> None:
    for survives in range(20):
        folder = StateFolder.open(tmp_path / str(survives), DyingDisk(survives))
        try:
            Vault(folder, "machine").save(ONE)
            finished = True
        except Crash:
            finished = False
        folder.disk = Disk()
        assert Vault(folder, "machine").load() in ((ONE,) if finished else (None, ONE))
        Vault(folder, "machine").save(TWO)  # And the next start can store.
        assert Vault(folder, "machine").load() == TWO
        folder.close()
        if finished:
            return
    pytest.fail("it never finished")


def test_the_key_is_nowhere_in_clear_and_files_are_private(tmp_path: Path) -> None:
    folder = StateFolder.open(tmp_path / "state")
    Vault(folder).save(ONE)
    for path in (tmp_path / "state").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
        assert b"efk_one" not in path.read_bytes()
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0
    assert "efk_one" not in repr(ONE)


@pytest.mark.parametrize("fault", ["flip", "cut", "rounds", "key", "no key", "other machine"])
def test_a_store_that_was_tampered_with_is_said(tmp_path: Path, fault: str) -> None:
    folder = StateFolder.open(tmp_path)
    Vault(folder, "machine").save(ONE)
    store = tmp_path / "credentials"
    text = store.read_bytes()
    match fault:
        case "flip":
            at = text.index(b'"content":"') + 15
            store.write_bytes(text[:at] + (b"A" if text[at : at + 1] != b"A" else b"B") + text[at + 1 :])
        case "cut":
            store.write_bytes(text[:-20])
        case "rounds":
            store.write_bytes(text.replace(b"100000", b"100001"))
        case "key":
            (tmp_path / "credentials.key").write_bytes(bytes(32))
        case "no key":
            (tmp_path / "credentials.key").unlink()
        case _:
            pass
    with pytest.raises(StoreUnreadable, match=r"cannot be opened.*edgeflow-agent provision"):
        Vault(folder, "another" if fault == "other machine" else "machine").load()


def test_two_agents_never_share_a_folder(tmp_path: Path) -> None:
    folder = StateFolder.open(tmp_path)
    with pytest.raises(FolderBusy, match=rf"process {os.getpid()}.*EDGEFLOW_AGENT_DIR"):
        StateFolder.open(tmp_path)
    folder.close()
    StateFolder.open(tmp_path).close()


@pytest.mark.parametrize(
    ("code", "part"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "No permission"),
        (errno.EIO, "Could not"),
    ],
)
def test_a_disk_that_refuses_is_a_sentence(tmp_path: Path, code: int, part: str) -> None:
    folder = StateFolder.open(tmp_path, FailingDisk(code))
    with pytest.raises(StateError, match=part):
        folder.write("config.json", b"{}")


def test_a_file_in_the_place_of_the_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="a file is in the place"):
        StateFolder.open(tmp_path / "file")


async def test_a_damaged_database_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "agent.db").write_bytes(b"this is not a database" * 100)
    database = Database.open(StateFolder.open(tmp_path))
    assert await database.run(lambda db: db.execute("select count(*) from batches").fetchone()) == (0,)
    assert (tmp_path / "agent.db.broken").exists()
    database.close()


async def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database.open(StateFolder.open(tmp_path))

    def half(db: sqlite3.Connection) -> None:
        db.execute("insert into counters (name, value) values ('x', 1)")
        db.execute("insert into counters (name, value) values ('x', 1)")

    with pytest.raises(StateError):
        await database.run(half)
    assert await database.run(lambda db: db.execute("select count(*) from counters").fetchone()) == (0,)
    database.close()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    folder = StateFolder.open(tmp_path)
    Database.open(folder).close()
    with sqlite3.connect(tmp_path / "agent.db") as db:
        db.execute("pragma user_version=99")
    db.close()
    with pytest.raises(StateError, match="newer edgeflow-agent"):
        Database.open(folder)
