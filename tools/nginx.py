"""Find or fetch the nginx of the tests of roles apart; `python -m tools.nginx` prepares it.

In order: EDGEFLOW_TEST_NGINX; an nginx on the path; one unpacked earlier into .make/nginx. Then, on Debian, its
package is unpacked there: installing it would start a web server on the machine. Elsewhere a sentence says what to do.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import debian
from tools.root import ROOT

VARIABLE = "EDGEFLOW_TEST_NGINX"
PLACE = ROOT / ".make" / "nginx"
WRAPPER = PLACE / "nginx"
ADVICE = (
    "The tests of roles behind a proxy need nginx, which could not be fetched here. Install it "
    f"(Debian: sudo apt-get install -y nginx), or set {VARIABLE} to the path of one."
)


def find() -> Path | None:
    """The nginx that is here already and answers `-v`."""
    named = os.environ.get(VARIABLE)
    candidates = [named] if named else [shutil.which("nginx"), "/usr/sbin/nginx", str(WRAPPER)]
    for candidate in candidates:
        if candidate and works(Path(candidate)):
            return Path(candidate)
    return None


def works(program: Path) -> bool:
    """Whether it starts at all."""
    try:
        return program.exists() and debian.quiet([program, "-v"], limit=30) == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def fetch() -> Path | None:
    """Unpack it; None when that is not possible here."""
    if not debian.is_here():
        return None
    print("Unpacking nginx for the tests of roles apart into .make/nginx…", flush=True)
    tree = debian.unpack(["nginx"], PLACE)
    program = tree / "usr/sbin/nginx"
    if program.exists():
        WRAPPER.write_text(
            "#!/bin/sh\n"
            f'export LD_LIBRARY_PATH="{debian.library_path(tree)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
            f'exec "{program}" "$@"\n'
        )
        WRAPPER.chmod(0o755)
    return find()


def main() -> int:
    if find() is None and fetch() is None:
        print(f"edgeflow: {ADVICE}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
