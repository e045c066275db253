"""A wheel out of a package that is installed here: the same files, whether it came as a wheel or from a checkout."""

import base64
import hashlib
import io
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from edgeflow_cloud.app.installer.needs import Environments, named, needed

AGENT = ("edgeflow-agent", "edgeflow-protocol")
"""What this project's own part of a device is."""
_MODULES = {"edgeflow-agent": "edgeflow_agent", "edgeflow-protocol": "edgeflow_protocol"}
_LONG_AGO = (2020, 1, 1, 0, 0, 0)  # so that the same files are the same wheel


class NotInstalled(Exception):
    """The agent is not installed beside the cloud, so there is nothing to hand out."""


def pack_wheel(name: str) -> tuple[str, bytes]:
    """The file name and the bytes of a wheel of the installed distribution `name`. Raises NotInstalled."""
    try:
        found = distribution(name)
        spec = find_spec(_MODULES[name])
    except PackageNotFoundError:
        found, spec = None, None
    if found is None or spec is None or not spec.submodule_search_locations:
        raise NotInstalled(
            f"{name} is not installed beside this cloud, so it cannot hand it out. Install it into the cloud's "
            "environment (in a checkout: make setup)."
        )
    plain = _MODULES[name]
    stem = f"{plain}-{found.version}"
    info = f"{stem}.dist-info"
    files = dict(_package_files(Path(spec.submodule_search_locations[0]), plain))
    files[f"{info}/METADATA"] = (found.read_text("METADATA") or "").encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: edgeflow-cloud\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    points = found.read_text("entry_points.txt")
    if points:
        files[f"{info}/entry_points.txt"] = points.encode()
    record = "".join(f"{path},{_digest(data)},{len(data)}\n" for path, data in sorted(files.items()))
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _LONG_AGO)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return f"{stem}-py3-none-any.whl", packed.getvalue()


def list_requirements(on: Environments) -> list[str]:
    """What the agent needs of others, its extras included, each at the version that is installed here if it is. Raises
    NotInstalled."""
    wanted: set[str] = set()
    for name in AGENT:
        try:
            found = distribution(name)
        except PackageNotFoundError as error:
            raise NotInstalled(f"{name} is not installed beside this cloud.") from error
        extras = found.metadata.get_all("Provides-Extra") or []
        wanted |= {need for need in needed(found.requires or [], extras, on) if named(need)[0] not in AGENT}
    return sorted(wanted)


def _package_files(folder: Path, module: str) -> list[tuple[str, bytes]]:
    return [
        (f"{module}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    ]


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
