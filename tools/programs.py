"""Programs that tests run beside the product; `python -m tools.programs` prepares all of them.

Each is looked for in its variable, on the path, and where it was unpacked earlier in .make/. Then, on Debian, its
package is unpacked there: installing it would start services on the machine, and need root. Elsewhere a sentence says
what to do.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools import debian
from tools.root import ROOT


@dataclass(frozen=True)
class Program:
    """One of them. `probe` is an argument with which it answers at once, with an exit code below 4."""

    name: str
    package: str
    place: str
    probe: str
    purpose: str

    @property
    def variable(self) -> str:
        """The environment variable that may name it."""
        return f"EDGEFLOW_TEST_{self.name.upper()}"

    @property
    def advice(self) -> str:
        """What to do where it cannot be had."""
        return (
            f"{self.purpose} need {self.name}, which could not be fetched here. Install it (Debian: sudo apt-get "
            f"install -y {self.package}), or set {self.variable} to the path of one."
        )

    @property
    def _wrapper(self) -> Path:
        return ROOT / ".make" / self.package / self.name

    def find(self) -> Path | None:
        """The one that is here already and answers."""
        named = os.environ.get(self.variable)
        found = shutil.which(self.name), f"/usr/sbin/{self.name}", str(self._wrapper)
        for candidate in [named] if named else found:
            if candidate and self._works(Path(candidate)):
                return Path(candidate)
        return None

    def fetch(self) -> Path | None:
        """Unpack it; None when that is not possible here."""
        if not debian.is_here():
            return None
        print(f"Unpacking {self.name} into .make/{self.package}…", flush=True)
        tree = debian.unpack([self.package], self._wrapper.parent)
        program = tree / self.place
        if program.exists():
            self._wrapper.write_text(
                "#!/bin/sh\n"
                f'export LD_LIBRARY_PATH="{debian.library_path(tree)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
                f'exec "{program}" "$@"\n'
            )
            self._wrapper.chmod(0o755)
        return self.find()

    def _works(self, program: Path) -> bool:
        try:
            return program.exists() and debian.quiet([program, self.probe], limit=30) < 4
        except (OSError, subprocess.TimeoutExpired):
            return False


NGINX = Program("nginx", "nginx", "usr/sbin/nginx", "-v", "The tests of roles behind a proxy")
MOSQUITTO = Program("mosquitto", "mosquitto", "usr/sbin/mosquitto", "-h", "The tests of MQTT")
STRACE = Program("strace", "strace", "usr/bin/strace", "-V", "The tests that kill the agent at system calls")


def main() -> int:
    for program in (NGINX, MOSQUITTO, STRACE):
        if program.find() is None and program.fetch() is None:
            print(f"edgeflow: {program.advice}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
