"""What a drill's clients know, on disk before they act on it: the only witness that no server can talk out of.

One line a fact, appended; a thread syncs the file every 20 ms. `read` gives the facts back from the file, not from
memory.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from edgeflow_cloud.simulator import Watch

Key = tuple[str, int]
"""A sample: its device and its time in microseconds since 1970. Devices never measure twice at one time."""
_SYNC_SECONDS = 0.02


@dataclass(slots=True)
class Witness:
    """The ledger, read back."""

    made: dict[Key, bool] = field(default_factory=dict[Key, bool])
    """Every sample that may have been sent; True: its batch was acknowledged."""
    refused: list[str] = field(default_factory=list[str])
    runs: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """(device, command id) -> how often it ran."""
    orders: dict[str, str] = field(default_factory=dict[str, str])
    """Command ids that the API accepted, with their devices."""

    @property
    def acknowledged(self) -> int:
        """Samples whose batch was acknowledged."""
        return sum(self.made.values())


class Ledger(Watch):
    """A Watch that writes down. Use it as a context manager, then `read`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._syncer = threading.Thread(target=self._sync, name="drill-ledger", daemon=True)
        self._syncer.start()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Everything is on disk."""
        if not self._over.is_set():
            self._over.set()
            self._syncer.join(10)
            self._flush()
            os.close(self._file)

    def made(self, device_id: str, boot_id: str, sequence: int, times: Sequence[datetime]) -> None:
        self._write("M", device_id, boot_id, sequence, *(microseconds(time) for time in times))

    def acknowledged(self, device_id: str, boot_id: str, sequence: int, refusal: str) -> None:
        self._write("X" if refusal else "A", device_id, boot_id, sequence)

    def ran(self, device_id: str, command_id: str, action: str) -> None:
        self._write("R", device_id, command_id)

    def ordered(self, device_id: str, command_id: str) -> None:
        """The API accepted a command."""
        self._write("O", device_id, command_id)

    def read(self) -> Witness:
        """What the file says. Call it after `close`."""
        witness = Witness()
        batches: dict[tuple[str, str, str], list[Key]] = {}
        for line in self.path.read_text().splitlines():
            kind, device_id, *rest = line.split()
            match kind:
                case "M":
                    keys = [(device_id, int(time)) for time in rest[2:]]
                    batches[device_id, rest[0], rest[1]] = keys
                    witness.made.update(dict.fromkeys(keys, False))
                case "A":
                    witness.made.update(dict.fromkeys(batches[device_id, rest[0], rest[1]], True))
                case "X":
                    witness.refused.append(line)
                case "R":
                    witness.runs[device_id, rest[0]] += 1
                case _:
                    witness.orders[rest[0]] = device_id
        return witness

    def _write(self, *fields: object) -> None:
        with self._lock:
            self._lines.append(" ".join(map(str, fields)) + "\n")

    def _sync(self) -> None:
        while not self._over.wait(_SYNC_SECONDS):
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        if lines:
            os.write(self._file, "".join(lines).encode())
            os.fsync(self._file)


def microseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    return round(moment.timestamp() * 1_000_000)
