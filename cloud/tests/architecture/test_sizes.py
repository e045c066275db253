"""Files stay small: the anatomy's sizes are "about", so a quarter more passes; 500 lines is the end."""

from pathlib import Path

import pytest

from cloud.tests.architecture.source import PACKAGE, ROOT, subsystems

ABOUT = {
    "__init__": 60,
    "model": 300,
    "queries": 400,
    "service": 400,
    "events": 100,
    "schemas": 250,
    "routes": 300,
    "device": 200,
    "jobs": 200,
    "wiring": 40,
}
GRACE = 1.25
HARD = 500
FOLDER = 2_500


def limit(path: Path, package: Path, known: list[str]) -> int:
    """The most lines that a file may have."""
    if path.is_relative_to(package):
        parts = path.relative_to(package).with_suffix("").parts
        if len(parts) == 2 and parts[0] in known and parts[1] in ABOUT:
            return min(HARD, round(ABOUT[parts[1]] * GRACE))
    return HARD


def too_long(files: list[Path], package: Path, known: list[str]) -> list[str]:
    """Files past their limit, and subsystems that have become two."""
    said: list[str] = []
    folders: dict[str, int] = dict.fromkeys(known, 0)
    for path in files:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        most = limit(path, package, known)
        if lines > most:
            said.append(f"{path} has {lines} lines, at most {most}: cut it where it has two subjects.")
        if path.is_relative_to(package) and path.suffix == ".py":
            owner = path.relative_to(package).parts[0]
            if owner in folders:
                folders[owner] += lines
    said += [
        f"{name}/ has {lines} lines, about {FOLDER} is one subsystem: it has become two."
        for name, lines in folders.items()
        if lines > FOLDER * GRACE
    ]
    return said


def product_files() -> list[Path]:
    """Code that people write: generated and fetched files are not among it."""
    places = [(folder, "*.py") for folder in ("protocol", "cloud", "agent", "tests", "tools")]
    places += [("web/src", "*.ts"), ("web/src", "*.tsx")]
    skipped = {"node_modules", "__pycache__", "api", "console"}
    return [
        path
        for folder, pattern in places
        for path in sorted((ROOT / folder).rglob(pattern))
        if not (folder.startswith("web") and skipped & set(path.relative_to(ROOT).parts))
        and ".gen." not in path.name
    ]


def test_files_stay_small() -> None:
    files = product_files()
    assert len(files) > 20
    assert too_long(files, PACKAGE, subsystems()) == []


@pytest.mark.parametrize(
    ("name", "lines", "speaks"),
    [
        ("devices/wiring.py", 50, False),
        ("devices/wiring.py", 51, True),
        ("devices/service.py", 501, True),
        ("devices/service/rename.py", 480, False),
        ("devices/service/rename.py", 501, True),
        ("app/cli.py", 501, True),
    ],
)
def test_long_files_are_seen(tmp_path: Path, name: str, lines: int, speaks: bool) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("x = 1\n" * lines)
    assert bool(too_long([path], tmp_path, ["devices"])) is speaks


def test_a_subsystem_that_is_two_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "devices"
    folder.mkdir()
    files = [folder / f"part_{index}.py" for index in range(7)]
    for path in files:
        path.write_text("x = 1\n" * 480)
    assert "become two" in too_long(files, tmp_path, ["devices"])[0]
