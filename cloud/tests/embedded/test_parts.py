"""The embedded parts as promised: closed to strangers, durable, watched, found again after kill -9."""

import asyncio
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis
from obstore.exceptions import BaseError
from obstore.store import S3Store

from edgeflow_cloud.infra.embedded import (
    AlreadyRunning,
    Credentials,
    PartFailed,
    Parts,
    privilege,
    start_for_tests,
)
from edgeflow_cloud.infra.embedded.folders import Folders
from edgeflow_cloud.infra.embedded.parts import ALL
from edgeflow_cloud.infra.embedded.seaweedfs import Ports
from edgeflow_cloud.infra.secrets import Secret, Secrets
from edgeflow_cloud.infra.settings import S3Address

HOLDER = """
    import sys, time
    from pathlib import Path
    from edgeflow_cloud.infra.embedded import process, start_for_tests
    if "orphan" in sys.argv:  # as on a system without setpriv: nobody tells the children that we died
        found = process.shutil.which
        process.shutil.which = lambda name: None if name == "setpriv" else found(name)
    with start_for_tests(Path(sys.argv[1]), durable=True) as parts:
        print(" ".join(str(part.child.pid) for part in parts.parts), flush=True)
        print(parts.database_url, flush=True)
        time.sleep(120)
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Generator[Parts]:
    with start_for_tests(tmp_path_factory.mktemp("stack"), durable=True) as running:
        yield running


def _pids(parts: Parts) -> list[int]:
    return [part.child.pid for part in parts.parts if part.child is not None]


def _child(parts: Parts, name: str) -> int:
    return next(part.child.pid for part in parts.parts if part.child is not None and part.name == name)


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("not within ten seconds")


def _alive(pids: list[int]) -> list[int]:
    """Those that run; one that only waits for its parent to notice its end does not."""
    found = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return [process.pid for process in found if process.status() != psutil.STATUS_ZOMBIE]


def _store(url: str | None, secret: str | None = None) -> S3Store:
    address = S3Address.parse(Secret(str(url)))
    return S3Store(
        address.bucket,
        endpoint=str(address.endpoint),
        region=address.region,
        access_key_id=address.access_key,
        secret_access_key=secret or address.secret_key.reveal(),
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "5s"},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
    )


async def _fetch(url: str | None, query: str) -> object:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_each_part_answers_at_its_address(parts: Parts) -> None:
    assert await _fetch(parts.database_url, "select 1") == 1
    assert redis.Redis.from_url(str(parts.valkey_url)).ping()
    store = _store(parts.s3_url)
    store.put("a/b", b"x" * 300_000)
    assert len(store.get("a/b").bytes()) == 300_000


async def test_the_database_is_durable_and_modern(parts: Parts) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert await _fetch(parts.database_url, f"show {setting}") == "on"
    assert int(str(await _fetch(parts.database_url, "show server_version_num"))) >= 180000
    assert await _fetch(parts.database_url, "select current_database()") == "edgeflow"
    assert await _fetch(parts.database_url, "show server_encoding") == "UTF8"


async def test_a_wrong_password_is_refused_everywhere(parts: Parts) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(parts.database_url, password="wrong", timeout=5)
    path = str(parts.valkey_url).partition("@")[2].partition("?")[0]
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(unix_socket_path=path).ping()
    with pytest.raises((BaseError, PermissionError)):
        _store(parts.s3_url, "wrong").put("x", b"x")


def test_every_port_is_on_loopback_and_refuses_strangers(parts: Parts) -> None:
    listening = [
        connection.laddr
        for pid in _pids(parts)
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert all(address.port < 55_535 for address in listening)
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    for address in listening:
        for scheme, context in (("http", None), ("https", trusting)):
            for path in ("/", "/dir/assign", "/status", "/edgeflow/a/b"):
                status, body = _get(f"{scheme}://127.0.0.1:{address.port}{path}", context)
                # S3 says to everybody that it is well, and nothing else.
                assert status in (0, 400, 403) or (path == "/status" and body == b"")
        assert not _speaks_http2(address.port)


def _get(url: str, context: ssl.SSLContext | None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=3, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError:
        return 0, b""


def _speaks_http2(port: int) -> bool:
    """Whether gRPC without TLS is spoken: the server answers the preface with its SETTINGS frame (type 4)."""
    with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        try:
            return connection.recv(9)[3:4] == b"\x04"
        except OSError:
            return False


def test_sockets_and_secrets_are_private(parts: Parts) -> None:
    root = Path(str(parts.valkey_url).partition("@")[2].partition("?")[0]).parent.parent
    for folder in ("run", "secrets", "postgres", "valkey", "objects", "log"):
        assert stat.S_IMODE((root / folder).stat().st_mode) == 0o700
    private = ("secrets/database_password", "valkey/valkey.conf", "objects/security.toml", "objects/s3.json")
    for file in private:
        assert stat.S_IMODE((root / file).stat().st_mode) == 0o600
    commands = " ".join(" ".join(psutil.Process(pid).cmdline()) for pid in _pids(parts))
    assert (root / "secrets/database_password").read_text().strip() not in commands
    assert (root / "secrets/valkey_password").read_text().strip() not in commands
    assert (root / "secrets/s3_secret_key").read_text().strip() not in commands


def test_a_second_start_on_the_folder_names_the_first(parts: Parts) -> None:
    root = Path(str(parts.valkey_url).partition("@")[2].partition("?")[0]).parent.parent
    with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"), start_for_tests(root):
        pass


@pytest.mark.parametrize("name", ["valkey", "objects", "database"])
async def test_a_part_that_dies_comes_back_at_the_same_address(parts: Parts, name: str) -> None:
    urls = (parts.database_url, parts.valkey_url, parts.s3_url)
    watch = asyncio.create_task(parts.run())
    try:
        await asyncio.sleep(0.05)
        _store(parts.s3_url).put("kept/whole", b"x" * 300_000)
        before = _child(parts, name)
        os.kill(before, signal.SIGKILL)
        await _until(lambda: _child(parts, name) != before)
        assert (parts.database_url, parts.valkey_url, parts.s3_url) == urls
        if name == "database":
            assert await _fetch(parts.database_url, "select 1") == 1
        if name == "valkey":
            assert redis.Redis.from_url(str(parts.valkey_url)).ping()
        if name == "objects":
            assert len(_store(parts.s3_url).get("kept/whole").bytes()) == 300_000
    finally:
        watch.cancel()
        await asyncio.wait([watch])


def _holder(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], list[int], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(folder), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    return process, pids, process.stdout.readline().strip()


async def test_killed_with_its_supervisor_it_ends_and_is_found_again(tmp_path: Path) -> None:
    holder, pids, url = _holder(tmp_path)
    try:
        await _fetch(url, "create table kept as select 42 as n")
        holder.kill()
        holder.wait()
        # No one asked the children to end but the kernel; the store may take its time.
        await _until(lambda: not _alive(pids[:2]))
    finally:
        holder.kill()
    with start_for_tests(tmp_path, durable=True) as parts:
        assert await _fetch(parts.database_url, "select n from kept") == 42
    assert not _alive(pids)


async def test_orphans_are_ended_and_stale_files_do_not_matter(tmp_path: Path) -> None:
    holder, pids, url = _holder(tmp_path, "orphan")
    await _fetch(url, "create table kept as select 42 as n")
    holder.kill()
    holder.wait()
    await asyncio.sleep(0.3)
    assert _alive(pids) == pids
    with start_for_tests(tmp_path, durable=True) as parts:
        assert not _alive(pids)
        assert await _fetch(parts.database_url, "select n from kept") == 42
    # Everything killed, and the pid in postmaster.pid now belongs to a process that lives: ours.
    holder, pids, url = _holder(tmp_path, "orphan")
    for pid in (holder.pid, *pids):
        os.kill(pid, signal.SIGKILL)
    holder.wait()
    lock = tmp_path / "postgres" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with start_for_tests(tmp_path, wanted=("database",), durable=True) as parts:
        assert await _fetch(parts.database_url, "select n from kept") == 42


def test_ending_leaves_no_process_and_takes_little_time(tmp_path: Path) -> None:
    with start_for_tests(tmp_path, durable=True) as parts:
        pids = _pids(parts)
        children = [child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)]
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert not _alive(pids + children)
    assert not list((tmp_path / "run").glob("*.sock"))


async def test_a_long_path_gets_its_sockets_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    with start_for_tests(folder, wanted=("database", "valkey")) as parts:
        assert await _fetch(parts.database_url, "select 1") == 1
        assert redis.Redis.from_url(str(parts.valkey_url)).ping()
        path = Path(str(parts.valkey_url).partition("@")[2].partition("?")[0])
        assert path.parent.parent == Path("/tmp")
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.parent.exists()


def test_a_start_that_was_cut_short_leaves_no_half_database(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with start_for_tests(tmp_path, wanted=("database",)):
        assert not half.exists()


def test_a_database_of_a_newer_postgresql_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir(mode=0o700)
    (tmp_path / "postgres" / "PG_VERSION").write_text("99\n")
    before = psutil.Process().children()
    sentence = "which PostgreSQL 99 wrote: start the edgeflow-cloud that made it"
    with pytest.raises(PartFailed, match=sentence), start_for_tests(tmp_path):
        pass
    assert psutil.Process().children() == before


def test_a_file_in_place_of_the_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with (
        pytest.raises(PartFailed, match="set EDGEFLOW_DATA_DIR to a folder"),
        start_for_tests(tmp_path / "data"),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "sentence"), [("ro", "the disk is read-only"), ("size=12m", "the disk is full")]
)
def test_a_full_or_read_only_disk_is_a_sentence(tmp_path: Path, options: str, sentence: str) -> None:
    script = """
        import sys
        from pathlib import Path
        from edgeflow_cloud.infra.embedded import PartFailed, start_for_tests
        try:
            with start_for_tests(Path(sys.argv[1])):
                print("started")
        except PartFailed as failure:
            print(failure)
    """
    mount = f'mount -t tmpfs -o {options} none "$0" && exec "$@"'
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(tmp_path)]
    python = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    done = subprocess.run([*inside, *python], capture_output=True, text=True, timeout=60)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no user namespace here: {done.stderr.strip()}")
    assert sentence in done.stdout, done.stdout + done.stderr
    assert "EDGEFLOW_DATA_DIR" in done.stdout


def test_root_without_a_namespace_or_a_user_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privilege.os, "geteuid", lambda: 0)
    monkeypatch.setattr(privilege.shutil, "which", lambda _name: None)
    with pytest.raises(PartFailed, match="start as a plain user, or set EDGEFLOW_DATABASE_URL"):
        privilege.station(Folders.prepare(tmp_path), Path("/"))


def test_a_start_can_be_interrupted_at_any_moment(tmp_path: Path) -> None:
    before = psutil.Process().children()
    for pause in (0.0, 0.1, 0.3, 0.6, 1.0):
        parts = Parts(tmp_path, lambda: Credentials.of(Secrets(tmp_path / "secrets")), ALL, durable=True)
        asyncio.run(_start_and_cancel(parts, pause))
        assert psutil.Process().children() == before
        assert not (tmp_path / "postgres.new").exists()


async def _start_and_cancel(parts: Parts, pause: float) -> None:
    starting = asyncio.create_task(parts.start())
    await asyncio.sleep(pause)
    starting.cancel()
    began = time.monotonic()
    await asyncio.wait([starting])
    assert time.monotonic() - began < 10
    if not starting.cancelled():  # it was quicker than we
        await parts.stop()


def test_ports_with_a_socket_that_another_user_left_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = Ports.choose(), Ports.choose()
    left = Path(f"/tmp/seaweedfs-s3-grpc-{taken.grpc['s3']}.sock")
    left.mkdir()  # cannot be unlinked, as another user's cannot
    try:
        assert not taken.all_free()
        draws = iter([taken, taken, free])
        monkeypatch.setattr(Ports, "_draw", lambda: next(draws))
        assert Ports.choose() == free
        monkeypatch.setattr(Ports, "_draw", lambda: taken)
        with pytest.raises(PartFailed, match="other users left"):
            Ports.choose()
    finally:
        left.rmdir()
