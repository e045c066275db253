"""The wheels that a device needs, by machine and Python: fetched once, kept, checked by their digests.

What cannot be fetched is said with what pip said: the device's owner sees it in the terminal of the device.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from packaging.utils import canonicalize_name

from edgeflow_cloud.app.installer.needs import Environments, environments, named, needed_by
from edgeflow_cloud.app.installer.packing import AGENT, list_requirements, pack_wheel

log = structlog.get_logger("edgeflow.installer")

MACHINES: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
_LIBC: Final = ("manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux2014")
_FETCH_SECONDS = 180.0
_WHEEL = re.compile(r"[A-Za-z0-9_.+-]{1,200}\.whl")


class CannotFetch(Exception):
    """The wheels are not there and could not be fetched. `str(error)` is a sentence."""


class UnknownKind(Exception):
    """No device of this kind is served. `str(error)` is a sentence."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """One file of a wheelhouse; `sha256` in hex."""

    name: str
    size: int
    sha256: str


class Wheelhouse:
    """The wheels under `folder`, which is a cache: it may be removed at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, asyncio.Lock] = {}

    async def list_wheels(self, machine: str, python: str) -> list[Wheel]:
        """All that a device of this kind installs, the agent's own included. Raises CannotFetch, UnknownKind."""
        folder = self._place(machine, python)
        async with self._locks.setdefault(folder.name, asyncio.Lock()):
            needs = await asyncio.to_thread(list_requirements, environments(MACHINES[machine], python))
            stamp = hashlib.sha256("\n".join(needs).encode()).hexdigest()
            if await asyncio.to_thread(_read, folder / "needs") != stamp:
                await self._fetch(folder, needs, MACHINES[machine], python)
                await asyncio.to_thread((folder / "needs").write_text, stamp)
            await asyncio.to_thread(_pack, folder)
            return await asyncio.to_thread(_list, folder)

    def find_wheel(self, machine: str, python: str, name: str) -> Path | None:
        """The file of one wheel that was listed, None when there is none. Raises UnknownKind."""
        path = self._place(machine, python) / name
        return path if _WHEEL.fullmatch(name) and path.is_file() else None

    def _place(self, machine: str, python: str) -> Path:
        if machine not in MACHINES:
            raise UnknownKind(
                f"The agent is not built for {machine[:40]!r} machines. It runs on x86_64 and aarch64 (a Raspberry Pi "
                "needs a 64-bit system)."
            )
        if python not in PYTHONS:
            raise UnknownKind(
                f"The agent does not run on Python {python[:10]!r}. It needs one of {', '.join(PYTHONS)}."
            )
        return self._folder / f"{MACHINES[machine]}-{python}"

    async def _fetch(self, folder: Path, needs: list[str], machine: str, python: str) -> None:
        """Into a folder of its own, then in the place of the old one: what is there is whole."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=self._folder, prefix=".fetch-"))
        log.info("installer.fetching", machine=machine, python=python, needs=needs)
        try:
            await _fetch_all(fresh, ["pip", *needs], machine, python)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            await asyncio.to_thread(os.replace, fresh, folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)


async def _fetch_all(folder: Path, needs: list[str], machine: str, python: str) -> None:
    """The wheels of `needs` and of all that these need in turn, a round for each generation. Raises CannotFetch."""
    on = environments(machine, python)
    tag = "cp" + python.replace(".", "")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps",
        "--only-binary=:all:", "--dest", str(folder), "--implementation", "cp", "--python-version", python,
        *(f"--abi={abi}" for abi in (tag, "abi3", "none")),
        *(f"--platform={libc}_{machine}" for libc in _LIBC),
    ]  # fmt: skip
    known: set[tuple[str, frozenset[str]]] = set()
    while fresh := [need for need in dict.fromkeys(needs) if named(need) not in known]:
        if said := await _run([*command, *fresh]):
            raise CannotFetch(
                f"The cloud could not fetch the agent's packages for {machine}, Python {python}, from its package "
                f"index: {said}. Give the cloud's host a way to the index (pip's settings count: PIP_INDEX_URL, "
                "HTTPS_PROXY), or install the agent by hand."
            )
        known |= {named(need) for need in fresh}
        needs = await asyncio.to_thread(_next, folder, fresh, on)


def _next(folder: Path, fetched: list[str], on: Environments) -> list[str]:
    """What the wheels of these requirements need."""
    wheels = {canonicalize_name(path.name.split("-")[0]): path for path in folder.glob("*.whl")}
    return [
        need
        for name, extras in map(named, fetched)
        for need in needed_by(wheels[canonicalize_name(name)], extras, on)
    ]


async def _run(command: list[str]) -> str | None:
    """None when it went well, else the last thing that it said."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(_FETCH_SECONDS):
            out, _ = await process.communicate()
    except TimeoutError:
        return f"it did not answer within {_FETCH_SECONDS:g} s"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == 0:
        return None
    lines = [line.strip() for line in out.decode(errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")] or lines
    return (errors[-1] if errors else f"pip ended with {process.returncode}").rstrip(".")[:300]


def _pack(folder: Path) -> None:
    """The agent's own wheels as they are now: a checkout changes without its version doing so."""
    for name in AGENT:
        file, data = pack_wheel(name)
        path = folder / file
        if not path.is_file() or path.read_bytes() != data:
            for old in folder.glob(f"{name.replace('-', '_')}-*.whl"):
                old.unlink()
            part = folder / f".{file}"
            part.write_bytes(data)
            part.replace(path)


def _list(folder: Path) -> list[Wheel]:
    return [
        Wheel(path.name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.glob("*.whl"))
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
