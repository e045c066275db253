"""Who imports whom: the contracts of pyproject.toml, and outsiders through the public API only."""

import subprocess
import sys
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import pytest

from cloud.tests.architecture.source import ROOT, Module, load, subsystems

OPEN_PARTS = frozenset({"events"})
"""Parts of a subsystem that outsiders may import beside its `__init__`."""


def outsiders(modules: list[Module], known: list[str]) -> list[str]:
    """Imports that reach inside another subsystem. `app` puts all together, so it may read `wiring`."""
    said: list[str] = []
    files = {module.name for module in modules}
    offered = {module.name: module.offered for module in modules if module.name in known}
    for module in modules:
        for target, line in module.imports():
            owner, _, rest = target.partition(".")
            if owner not in known or owner == module.owner or not rest:
                continue
            part = rest.split(".")[0]
            if f"{owner}.{part}" not in files or part in OPEN_PARTS:
                continue  # a name that `__init__` offers, or an open part
            if module.owner == "app" and part == "wiring":
                continue
            if rest in offered.get(owner, ()):
                continue  # a folder of the subsystem that is itself a part of the public API
            said.append(
                f"{module.name}:{line} imports {target}. Outsiders import edgeflow_cloud.{owner} or its "
                f"events: offer the name in {owner}/__init__.py, or announce an event."
            )
    return said


def test_outsiders_use_the_public_api() -> None:
    assert outsiders(load(), subsystems()) == []


@pytest.mark.parametrize(
    "line",
    [
        "from edgeflow_cloud.devices.service import rename",
        "from edgeflow_cloud.devices import queries",
        "from edgeflow_cloud import devices, audit\nimport edgeflow_cloud.devices.model",
        "from ..devices.queries import find",
        "def late():\n    from edgeflow_cloud.devices.model import Device",
        "from edgeflow_cloud.devices import presence",
        "from edgeflow_cloud.devices.presence import connect_many",
    ],
)
def test_reaching_inside_is_seen(line: str) -> None:
    inside = [Module(f"devices.{part}", "") for part in ("service", "queries", "model", "presence")]
    assert outsiders([Module("shadows.service", line), *inside], ["devices", "shadows"])


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("shadows.service", "from edgeflow_cloud.devices import Device"),
        ("shadows.jobs", "from edgeflow_cloud.devices.events import DeviceDeleted"),
        ("devices.routes", "from edgeflow_cloud.devices import service"),
        ("app.subsystems", "from edgeflow_cloud.devices import wiring"),
        ("tunnel.hub", "from edgeflow_cloud.devices import presence"),
    ],
)
def test_the_public_api_is_open(name: str, line: str) -> None:
    inside = [Module(f"devices.{part}", "") for part in ("service", "events", "wiring", "presence")]
    inside.append(Module("devices", '__all__ = ["Device", "presence"]'))
    assert outsiders([Module(name, line), *inside], ["devices", "shadows"]) == []


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the three packages and of the contracts, for mutants."""
    copied = tmp_path_factory.mktemp("tree")
    for folder in ("protocol/edgeflow_protocol", "cloud/edgeflow_cloud", "agent/edgeflow_agent"):
        copytree(
            ROOT / folder,
            copied / Path(folder).name,
            ignore=ignore_patterns("__pycache__", "console", "versions"),
        )
    copy(ROOT / "pyproject.toml", copied)
    return copied


def contracts(tree: Path) -> str:
    """What lint-imports says about a tree; empty when every contract is kept."""
    answer = subprocess.run(
        [
            Path(sys.executable).parent / "lint-imports",
            "--cache-dir",
            tree / ".cache",
            "--config",
            tree / "pyproject.toml",
        ],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return "" if answer.returncode == 0 else answer.stdout + answer.stderr


def test_contracts_are_kept() -> None:
    answer = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("file", "line", "speaks"),
    [
        ("edgeflow_cloud/novelty/__init__.py", "", "novelty"),
        ("edgeflow_cloud/kernel/clock.py", "import edgeflow_cloud.infra.db", "kernel"),
        ("edgeflow_cloud/kernel/clock.py", "import asyncpg", "do no I/O"),
        ("edgeflow_cloud/infra/db.py", "import edgeflow_cloud.audit", "call down"),
        ("edgeflow_cloud/audit/model.py", "import socket", "do no I/O"),
        ("edgeflow_cloud/audit/routes.py", "import edgeflow_cloud.audit.queries", "never SQL"),
        ("edgeflow_cloud/audit/queries.py", "import edgeflow_cloud.audit.service", "Inside a subsystem"),
        ("edgeflow_cloud/infra/db.py", "import edgeflow_agent", "never import each other"),
        ("edgeflow_protocol/codec.py", "import edgeflow_cloud.kernel", "never import each other"),
    ],
)
def test_broken_contracts_are_seen(tree: Path, file: str, line: str, speaks: str) -> None:
    changed = tree / file
    imported = tree / f"{line.removeprefix('import ').replace('.', '/')}.py"
    made: list[Path] = []
    before = changed.read_text() if changed.exists() else None
    try:
        for path in (changed, imported):  # the sample needs both ends, whether the product has them or not
            if line.startswith("import edgeflow_") or path is changed:
                if path.with_suffix("").is_dir() or path.exists():
                    continue
                package = path.parent / "__init__.py"
                if not package.exists():
                    package.parent.mkdir(exist_ok=True)
                    package.touch()
                    made.append(package)
                if not path.exists():
                    path.touch()
                    made.append(path)
        changed.write_text(f"{line}\n{before or ''}")
        said = contracts(tree)
        assert speaks in said, said or "no contract was broken"
    finally:
        if before is not None:
            changed.write_text(before)
        for path in made:
            path.unlink(missing_ok=True)
            if path.parent != tree and not any(path.parent.iterdir()):
                path.parent.rmdir()
