"""A device with an init of its own: systemd as process 1 of namespaces, on a copy of this machine.

What is written goes into memory and is gone with it. The network is this machine's: it sees a cloud on loopback.
"""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.system.product import eventually

SYSTEMD = Path("/lib/systemd/systemd")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# /sys and /proc/sys are read-only, as in any container: so systemd leaves this machine's devices and settings alone.
_BOOT = f"""
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
mount -t tmpfs tmpfs sys/fs/cgroup
mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd ||
    mount -t cgroup2 cgroup2 sys/fs/cgroup
[ ! -d sys/fs/cgroup/unified ] || mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
mkdir -p old
pivot_root . old
umount -l /old
exec env -i container=lxc PATH={_PATH} {SYSTEMD} --system --unit=basic.target --show-status=0 --log-target=journal
"""


class CannotBoot(Exception):
    """This machine does not let a test boot another; `str()` says why."""


@dataclass
class Machine:
    """One that has booted."""

    folder: Path
    launcher: subprocess.Popen[bytes]
    init: int

    @classmethod
    def boot(cls, folder: Path) -> "Machine":
        """Raises CannotBoot."""
        if os.geteuid() != 0:
            raise CannotBoot("only root may make a machine's namespaces and mounts")
        if not SYSTEMD.exists() or shutil.which("unshare") is None or shutil.which("nsenter") is None:
            raise CannotBoot("there is no systemd here, or no unshare and nsenter")
        root, log = folder / "machine", folder / "machine.out"
        root.mkdir()
        with log.open("wb") as out:
            launcher = subprocess.Popen(
                ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--ipc", "--uts", "--cgroup",
                 "sh", "-c", _BOOT, "boot", str(root)],
                stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and launcher.poll() is None:
            children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
            if children:
                machine = cls(folder, launcher, int(children[0]))
                if machine.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                    return machine
            time.sleep(0.1)
        launcher.kill()
        launcher.wait(10)
        raise CannotBoot(f"systemd did not come up in namespaces: {log.read_text()[-500:].strip()}")

    def run(self, *command: str, within: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a program in it, as its root."""
        return subprocess.run(
            ["nsenter", "--target", str(self.init), "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--", *command],
            capture_output=True, text=True, timeout=within, env={"PATH": _PATH, "HOME": "/root"}, cwd="/",
        )  # fmt: skip

    def shell(self, script: str, within: float = 60) -> str:
        """What the script says; it must succeed."""
        done = self.run("sh", "-c", script, within=within)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def shows(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.shell(f"systemctl show --value -p {name} {unit}").strip()

    def until_active(self, unit: str, within: float) -> None:
        eventually(
            lambda: self.shows(unit, "ActiveState") == "active", within=within, what=f"{unit} is active"
        )

    def end(self) -> None:
        """Pull the plug."""
        os.kill(self.init, signal.SIGKILL)
        self.launcher.wait(10)
