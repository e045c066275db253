"""Find or fetch the browser of the browser tests, and give its path to a command.

`--fetch` prepares it; `--run -- COMMAND…` runs the command with EDGEFLOW_TEST_CHROMIUM set to it. In order:
the variable itself; a chromium or chrome on the path; one unpacked earlier into .make/chromium. Then, on
Debian, `apt-get install` as root; as a plain user its packages unpacked into .make/chromium, with the
libraries that this machine lacks. Elsewhere a sentence says what to do, and the browser tests say so too.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.root import ROOT

VARIABLE = "EDGEFLOW_TEST_CHROMIUM"
PLACE = ROOT / ".make" / "chromium"
WRAPPER = PLACE / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PACKAGES = ("chromium", "fonts-liberation")
SYSTEM = re.compile(r"libc6|libc-bin|perl|systemd|udev|init|dbus")
"""Parts of the running system; another version of them beside it would only break the program."""
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
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
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
    """Download chromium and every package of it that is missing here, unpack all, and write the wrapper.

    Nothing is installed: the wrapper starts the program with the unpacked libraries and fonts. The system's
    package lists are read; when they are missing or too old, a private copy is fetched.
    """
    archives, tree = PLACE / "archives", PLACE / "tree"
    for folder in (archives, tree):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for options in ([], private_lists()):
        packages = missing(options)
        if packages and quiet(["apt-get", *options, "download", *packages], folder=archives) == 0:
            break
    for archive in sorted(archives.glob("*.deb")):
        quiet(["dpkg", "-x", archive, tree])
    shutil.rmtree(archives, ignore_errors=True)
    if (tree / "usr/lib/chromium/chromium").exists():
        write_wrapper(tree)


def private_lists() -> list[str]:
    """Options that make apt keep its state in .make/chromium/apt, with the lists fetched anew."""
    state = PLACE / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::State::lists={state}/lists", "-o", f"Dir::Cache={state}/cache"]
    quiet(["apt-get", *options, "update", "-qq"])
    return options


def missing(options: list[str]) -> list[str]:
    """Names of the packages that an installation would bring, chromium itself among them."""
    answer = subprocess.run(
        ["apt-get", *options, "install", "--simulate", "--no-install-recommends", *PACKAGES],
        capture_output=True,
        text=True,
        timeout=120,
    )
    names: list[str] = re.findall(r"^Inst (\S+) ", answer.stdout, re.MULTILINE)
    return [name for name in names if not SYSTEM.match(name)]


def write_wrapper(tree: Path) -> None:
    """The program that tests start."""
    libraries = sorted({str(path.parent) for path in tree.rglob("*.so*") if path.is_file()})
    fonts = tree / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>/usr/share/fonts</dir><dir>{tree}/usr/share/fonts</dir><cachedir>{tree}/fontcache</cachedir>"
        "</fontconfig>"
    )
    WRAPPER.write_text(
        "#!/bin/sh\n"
        f'export LD_LIBRARY_PATH="{":".join(libraries)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
        f'export FONTCONFIG_FILE="{fonts}"\n'
        f'exec "{tree}/usr/lib/chromium/chromium" "$@"\n'
    )
    WRAPPER.chmod(0o755)


def quiet(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
    limit: float = 900,
) -> int:
    """Run without a word; the exit code."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=limit,
    ).returncode


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
