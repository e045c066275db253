"""Find or fetch the browser of the browser tests, and give its path to a command.

`--fetch` prepares it; `--run -- COMMAND…` runs the command with EDGEFLOW_TEST_CHROMIUM set to it. In order:
the variable itself; a chromium or chrome on the path; one unpacked earlier into .make/chromium. Then, on
Debian, `apt-get install` as root; as a plain user its packages unpacked into .make/chromium, with the
libraries that this machine lacks. Elsewhere a sentence says what to do, and the browser tests say so too.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import debian
from tools.debian import quiet
from tools.root import ROOT

VARIABLE = "EDGEFLOW_TEST_CHROMIUM"
PLACE = ROOT / ".make" / "chromium"
WRAPPER = PLACE / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PACKAGES = ("chromium", "fonts-liberation")
ADVICE = (
    "The browser tests need Chromium, which could not be fetched here. Install it "
    f"(Debian: sudo apt-get install -y chromium), or set {VARIABLE} to the path of a Chromium or Chrome."
)


def find() -> Path | None:
    """The browser that is here already and answers `--version`."""
    named = os.environ.get(VARIABLE)
    candidates = [named] if named else [*(shutil.which(name) for name in NAMES), str(WRAPPER)]
    for candidate in candidates:
        if candidate and works(Path(candidate)):
            return Path(candidate)
    return None


def works(program: Path) -> bool:
    """Whether it starts at all: a library that is missing shows here, with a sentence, not in a test."""
    if not program.exists():
        return False
    try:
        return quiet([program, "--version"], limit=30) == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def fetch() -> Path | None:
    """Install or unpack it; None when neither is possible here."""
    if not debian.is_here():
        return None
    if os.geteuid() == 0:
        print("Installing Chromium for the browser tests (apt-get install chromium)…", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
        if quiet(install, environment=environment) and quiet(["apt-get", "update", "-qq"]) == 0:
            quiet(install, environment=environment)
    else:
        print("Unpacking Chromium for the browser tests into .make/chromium…", flush=True)
        unpack()
    return find()


def unpack() -> None:
    """Unpack chromium with the libraries and fonts that are missing here, and write the wrapper that uses them."""
    tree = debian.unpack(PACKAGES, PLACE)
    if (tree / "usr/lib/chromium/chromium").exists():
        write_wrapper(tree)


def write_wrapper(tree: Path) -> None:
    """The program that tests start."""
    fonts = tree / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>/usr/share/fonts</dir><dir>{tree}/usr/share/fonts</dir><cachedir>{tree}/fontcache</cachedir>"
        "</fontconfig>"
    )
    WRAPPER.write_text(
        "#!/bin/sh\n"
        f'export LD_LIBRARY_PATH="{debian.library_path(tree)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
        f'export FONTCONFIG_FILE="{fonts}"\n'
        f'exec "{tree}/usr/lib/chromium/chromium" "$@"\n'
    )
    WRAPPER.chmod(0o755)


def main() -> int:
    if "--run" in sys.argv:
        browser = find()
        if browser is not None:
            os.environ[VARIABLE] = str(browser)
        command = sys.argv[sys.argv.index("--") + 1 :]
        os.execvp(command[0], command)  # noqa: S606 - the tests take this process's place
    if find() is None and fetch() is None:
        print(f"edgeflow: {ADVICE}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
