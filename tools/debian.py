"""Programs out of Debian's packages, for tests: unpacked beside the checkout, with the libraries that are missing here.

Nothing is installed, so that no service starts on the machine and no root is needed.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

SYSTEM = re.compile(r"libc6|libc-bin|perl|systemd|udev|init|dbus")
"""Parts of the running system; another version of them beside it would only break the program."""


def is_here() -> bool:
    """Whether this machine has Debian's tools."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg"))


def unpack(packages: Sequence[str], place: Path) -> Path:
    """Download the packages and every one of theirs that is missing here, and unpack all; the tree's root.

    The system's package lists are read; when they are missing or too old, a private copy is fetched.
    """
    archives, tree = place / "archives", place / "tree"
    for folder in (archives, tree):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for attempt in (0, 1):
        options = _private_lists(place) if attempt else []
        names = _missing(packages, options)
        if names and quiet(["apt-get", *options, "download", *names], folder=archives) == 0:
            break
    for archive in sorted(archives.glob("*.deb")):
        quiet(["dpkg", "-x", archive, tree])
    shutil.rmtree(archives, ignore_errors=True)
    return tree


def library_path(tree: Path) -> str:
    """LD_LIBRARY_PATH of what was unpacked."""
    return ":".join(sorted({str(path.parent) for path in tree.rglob("*.so*") if path.is_file()}))


def _private_lists(place: Path) -> list[str]:
    """Options that make apt keep its state in `place`/apt, with the lists fetched anew."""
    state = place / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::State::lists={state}/lists", "-o", f"Dir::Cache={state}/cache"]
    quiet(["apt-get", *options, "update", "-qq"])
    return options


def _missing(packages: Sequence[str], options: Sequence[str]) -> list[str]:
    """Names of the packages that an installation would bring."""
    answer = subprocess.run(
        ["apt-get", *options, "install", "--simulate", "--no-install-recommends", *packages],
        capture_output=True,
        text=True,
        timeout=120,
    )
    names: list[str] = re.findall(r"^Inst (\S+) ", answer.stdout, re.MULTILINE)
    return [name for name in names if not SYSTEM.match(name)]


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
