"""Make .venv and install the locked set into it; the only tool that runs before .venv exists.

Standard library only, and it runs with whatever `python3` is: it says so when that one is too old.
uv is installed by pip, at the version and hashes that requirements.lock names, then installs the rest.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = ROOT / ".make" / "locked"


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is run by any python3 there is
        return say(
            f"EdgeFlow needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. "
            "Name another one: make PYTHON=python3.11 up"
        )
    began = time.monotonic()
    python = VENV / "bin" / "python"
    if not works(python):
        print("Making .venv…", flush=True)
        if not make_venv():
            return 1
    if run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", "/dev/stdin"], given=uv_lines()):
        return say("pip could not install uv into .venv: see above. Is a package index reachable?")
    print("Installing the locked packages into .venv (the first time about a minute)…", flush=True)
    if run([VENV / "bin" / "uv", "pip", "install", "-q", "--require-hashes", "-r", LOCK]):
        # uv does not read pip's configuration; on a machine with its own index pip may still reach it.
        print("uv could not; trying the same with pip…", flush=True)
        if run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCK]):
            return say("The locked packages could not be installed: see above, mend it and repeat.")
    STAMP.parent.mkdir(exist_ok=True)
    STAMP.write_text(f"{ROOT}\n")
    print(f"Packages are ready ({time.monotonic() - began:.0f} s).", flush=True)
    return 0


def works(python: Path) -> bool:
    """Whether .venv holds a Python with pip and was made here. If not it is made again.

    A moved one starts, but every program in it still names the old place; pyvenv.cfg says where that was.
    """
    if not python.exists() or str(VENV) not in (VENV / "pyvenv.cfg").read_text(encoding="utf-8"):
        return False
    return run([python, "-c", "import pip"], quiet=True) == 0


def make_venv() -> bool:
    """Make .venv anew. Where Python comes without ensurepip (Debian), the system's pip fills it."""
    if run([sys.executable, "-m", "venv", "--clear", VENV], quiet=True) == 0:
        return True
    if run([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV], quiet=True) == 0:
        pip = [sys.executable, "-m", "pip", "--python", VENV / "bin" / "python", "install", "-q", "pip"]
        if run(pip, quiet=True) == 0:
            return True
    say(
        f"{sys.executable} cannot make a virtual environment (Debian and Ubuntu keep that part in another "
        "package). Run: apt-get install -y python3-venv"
    )
    return False


def uv_lines() -> str:
    """The block of requirements.lock that pins uv, hashes included."""
    lines: list[str] = []
    for line in LOCK.read_text().splitlines():
        if line.startswith("uv==") or (lines and line.startswith("    --hash")):
            lines.append(line)
        elif lines:
            break
    return "\n".join(lines).rstrip("\\ ") + "\n"


def run(command: Sequence[object], *, given: str | None = None, quiet: bool = False) -> int:
    """Run to the end; the exit code. `quiet` keeps its output for nobody, `given` is its standard input."""
    sink = subprocess.DEVNULL if quiet else None
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "VIRTUAL_ENV": str(VENV)}
    words = [str(part) for part in command]
    return subprocess.run(
        words, input=given or "", text=True, stdout=sink, stderr=sink, env=environment
    ).returncode


def say(sentence: str) -> int:
    print(f"edgeflow: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
