"""Where the running parts listen, for the operator's other commands: DATA_DIR/run/addresses.json, 0600."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from edgeflow_cloud.infra.embedded.folders import Folders, write_private

_NAME: Final = "addresses.json"


def write(folders: Folders, urls: Mapping[str, str]) -> None:
    """Keep the addresses, passwords included, where only this user reads."""
    write_private(folders.run / _NAME, msgspec.json.encode(dict(urls)).decode())


def forget(folders: Folders) -> None:
    """The parts have ended."""
    (folders.run / _NAME).unlink(missing_ok=True)


def running_at(folder: Path) -> dict[str, str]:
    """Addresses of the parts that run on this data folder, by `database`, `valkey`, `objects`; empty when none do.

    After a kill they may be those of parts that ran last: whoever connects finds out.
    """
    try:
        text = (folder.expanduser().absolute() / "run" / _NAME).read_bytes()
        return msgspec.json.decode(text, type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}
