"""What a package needs of others on a device, which is not the machine that asks.

pip downloads for another Python and another machine, but reads every marker (`python_full_version < "3.11.3"`) as of
the Python that it runs on itself. So it is told what to fetch, package by package, and this reads the markers.
"""

import zipfile
from collections.abc import Iterable, Sequence
from email.parser import HeaderParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Environments = Sequence[dict[str, str]]
"""The markers' variables on the devices that one wheelhouse serves."""


def environments(machine: str, python: str) -> Environments:
    """Those of CPython `python` (`3.11`) on `machine`, with its first patch release and with a late one: what either of
    them needs is served."""
    here = {name: str(value) for name, value in default_environment().items()}
    linux = {
        "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": machine,
        "implementation_name": "cpython", "platform_python_implementation": "CPython", "python_version": python,
    }  # fmt: skip
    return [
        {**here, **linux, "python_full_version": full, "implementation_version": full}
        for full in (f"{python}.0", f"{python}.99")
    ]


def needed(lines: Iterable[str], extras: Iterable[str], on: Environments) -> list[str]:
    """Those of the requirements that count on one of the devices, with the extras; each at the version that is
    installed here if that fits."""
    names = ["", *extras]
    found: list[str] = []
    for line in lines:
        need = Requirement(line)
        marker = need.marker
        if marker is None or any(marker.evaluate({**one, "extra": extra}) for one in on for extra in names):
            found.append(_pinned(need))
    return found


def needed_by(wheel: Path, extras: Iterable[str], on: Environments) -> list[str]:
    """As `needed`, of what the wheel's own metadata says. Raises zipfile.BadZipFile, KeyError."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    return needed(metadata.get_all("Requires-Dist") or [], extras, on)


def named(requirement: str) -> tuple[str, frozenset[str]]:
    """The package that a requirement names, and with which extras."""
    need = Requirement(requirement)
    return canonicalize_name(need.name), frozenset(need.extras)


def _pinned(need: Requirement) -> str:
    extras = f"[{','.join(sorted(need.extras))}]" if need.extras else ""
    try:
        here = version(need.name)
    except PackageNotFoundError:
        here = ""
    pin = f"=={here}" if here and need.specifier.contains(here, prereleases=True) else str(need.specifier)
    return f"{need.name}{extras}{pin}"
