"""The local update lock: while it is there, nothing that the cloud wants of flows is done.

It is a file, so that a program beside the agent can hold updates off while its machine works: `update.lock` in the
state folder, with the reason as its text. It outlives a restart, and only somebody at the device takes it away.
"""

from __future__ import annotations

import contextlib

from ..state import StateFolder

NAME = "update.lock"
_LONGEST = 200


class UpdateLock:
    """Looks at the file each time it is asked: others may write it."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder

    @property
    def locked(self) -> bool:
        """Whether updates are held off."""
        return self._folder.file(NAME).exists()

    @property
    def reason(self) -> str:
        """What whoever locked gave as a reason; empty when nothing was, or nothing is locked."""
        text = ""
        with contextlib.suppress(OSError):
            text = self._folder.file(NAME).read_text(errors="replace")[: 4 * _LONGEST]
        return _plain(text)

    @property
    def sentence(self) -> str:
        """What a flow that waits says."""
        reason = self.reason
        why = f" ({reason})" if reason else ""
        return f"Updates are locked on the device{why}. Unlock it there: edgeflow-agent unlock."

    def lock(self, reason: str) -> None:
        """Hold updates off. Raises StateError."""
        self._folder.write(NAME, _plain(reason).encode())

    def unlock(self) -> None:
        """Let updates come. Raises StateError."""
        self._folder.remove(NAME)


def _plain(text: str) -> str:
    return "".join(character for character in text.strip() if character.isprintable())[:_LONGEST]
