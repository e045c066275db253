"""The peer of S1 to S3: Debian's mosquitto, installed once when we may, started on a free port of loopback."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.load.child import Child, free_port

ADVICE = (
    "mosquitto, the peer of S1 to S3, is not here and could not be installed; its columns are left out "
    "(Debian: sudo apt-get install -y mosquitto)."
)


def find() -> str | None:
    """The program, installed now if this is Debian and we are root."""
    found = _found()
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing mosquitto, the benches' peer (apt-get install mosquitto)…", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "mosquitto"]):
            subprocess.run(["apt-get", *command], env=environment, capture_output=True, timeout=600)
        found = _found()
    return found


def _found() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def serve(program: str, folder: Path) -> Generator[tuple[Child, int]]:
    """The broker with nothing but what an anonymous QoS 0 client needs; its process and its port."""
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type error\n"
        "max_connections -1\nsys_interval 0\n"
    )
    child = Child([program, "-c", str(settings)], os.environ, folder / "mosquitto.log")
    try:
        child.until_open(port)
        yield child, port
    finally:
        child.end()
