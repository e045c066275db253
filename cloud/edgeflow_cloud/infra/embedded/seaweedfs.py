"""SeaweedFS out of its wheel (`weed mini`): an S3 store of one process, loopback only, that refuses strangers.

S3 asks for signed requests, the filer and the volume server for signed tokens.
"""

import json
import signal
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shutil import which

from obstore.exceptions import BaseError
from obstore.store import S3Store

from edgeflow_cloud.infra.embedded.errors import PartFailed
from edgeflow_cloud.infra.embedded.folders import Folders, write_private
from edgeflow_cloud.infra.embedded.ports import free_ports
from edgeflow_cloud.infra.embedded.process import Child, end_left_behind, spawn, wait_ready

NAME = "SeaweedFS"
BUCKET = "edgeflow"
REGION = "us-east-1"
_PROGRAM = "weed"
_SERVICES = ("master", "volume", "filer", "s3", "admin")
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Keys:
    """The made credentials: the S3 key pair and the one that the inner tokens are derived from."""

    access: str
    secret: str
    signing: str


def start(folders: Folders, keys: Keys) -> tuple[Child, str]:
    """Start the store and wait until a signed request is answered. Returns the child and its URL. Raises PartFailed."""
    folder = folders.part("objects")
    end_left_behind(_PROGRAM, folder, signal.SIGTERM, patience=2)
    _configure(folder, keys)
    for attempt in range(_TRIES):
        ports = free_ports(2 * len(_SERVICES))
        child = spawn(
            NAME,
            _command(folders, folder, ports),
            folder=folder,
            log=folders.log("seaweedfs"),
            patience=2,  # after use it may not end on SIGTERM; its data is with the kernel by then
            environment={"HOME": str(folder)},
        )
        url = f"http://127.0.0.1:{ports[6]}"
        store = _store(url, keys)
        try:
            wait_ready(child, lambda store=store: _answers(store), limit=30)
        except PartFailed as failure:
            child.kill()
            if "address already in use" in failure.log and attempt < _TRIES - 1:
                continue
            raise
        return child, f"s3://{keys.access}:{keys.secret}@127.0.0.1:{ports[6]}/{BUCKET}?region={REGION}"
    raise AssertionError  # the loop returns or raises


def _configure(folder: Path, keys: Keys) -> None:
    tokens = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
    write_private(folder / "security.toml", "".join(f'[{token}]\nkey = "{keys.signing}"\n' for token in tokens))
    identity = {
        "name": "edgeflow",
        "credentials": [{"accessKey": keys.access, "secretKey": keys.secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    write_private(folder / "s3.json", json.dumps({"identities": [identity]}))


def _command(folders: Folders, folder: Path, ports: list[int]) -> list[str]:
    command = [
        str(_binary()),
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={folder / 's3.json'}",
        f"-bucket={BUCKET}",
    ]
    for service, http, grpc in zip(_SERVICES, ports[::2], ports[1::2], strict=True):
        # The admin's worker finds it at its port plus 10000, whatever it is told.
        inner = http + 10_000 if service == "admin" else grpc
        command += [f"-{service}.port={http}", f"-{service}.port.grpc={inner}"]
    return command


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


def _answers(store: S3Store) -> bool:
    # Signed with our own key: another store that happens to listen there would refuse it.
    try:
        next(iter(store.list(chunk_size=1)), None)
    except (BaseError, OSError):
        return False
    return True
