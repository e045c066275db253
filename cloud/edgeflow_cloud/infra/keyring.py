"""A key that can be rotated: the one in use, and former ones that still open what they made.

In files, `<name>` holds the key in use and `<name>.old` the former ones, a line each: the instant until which it
counts, a space, the key. A running process sees a rotation within a second, and at once when it meets an id
that it does not know. What the environment gives is never written: there the operator holds the former keys too.
"""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edgeflow_cloud.infra import secret_files
from edgeflow_cloud.infra.secret import BadSecret, Secret

_LOOK_AGAIN: Final = 1.0  # seconds between two looks at the file
_FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `id` names it without telling it; `until` is when it stops to count."""

    id: str
    text: Secret
    until: datetime = _FOR_EVER


class Keyring:
    """The keys called `name`. Every member raises BadSecret."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        make: Callable[[], str],
        given: Secret | None = None,
        given_old: Sequence[Secret] = (),
    ) -> None:
        self._path = folder / name
        self._old_path = folder / f"{name}.old"
        self._name = name
        self._make = make
        self._given = given
        self._given_old = tuple(self._key(text) for text in given_old)
        self._known: tuple[Key, ...] = ()
        self._seen: tuple[int, int] | None = None
        self._look_at = 0.0

    @property
    def is_given(self) -> bool:
        """Whether the environment gives the key, so that only the operator can rotate it."""
        return self._given is not None

    @property
    def exists(self) -> bool:
        """Whether there is a key already."""
        return self._given is not None or self._path.exists()

    @property
    def current(self) -> Key:
        """The key to use; made now when there is none."""
        return self._keys()[0]

    def accepted(self, now: datetime) -> list[Key]:
        """The key in use and the former ones that still count, the newest first."""
        first, *old = self._keys()
        return [first, *(key for key in old if key.until > now)]

    def find(self, key_id: str, now: datetime) -> Key | None:
        """The key of this id, if it still counts."""
        for _ in range(2):
            for key in self.accepted(now):
                if key.id == key_id:
                    return key
            self._look_at = 0.0  # another process may just have rotated: look once more
        return None

    def rotate(self, *, until: datetime, now: datetime) -> Key:
        """Make a new key; the present one counts until `until`. Former ones that no longer count are dropped.

        A crash in between leaves the present key in use and named twice, which is harmless.
        """
        if self._given is not None:
            raise BadSecret(
                f"EDGEFLOW_{self._name.upper()} gives this key, so it is rotated there: docs/howto/rotate-keys.md "
                "shows the steps."
            )
        self._look_at = 0.0
        former = self.current
        kept = [Key(former.id, former.text, until), *self.accepted(now)[1:]]
        lines = [f"{key.until.isoformat()} {key.text.reveal()}" for key in kept if key.until > now]
        secret_files.replace(self._old_path, "\n".join(lines))
        secret_files.replace(self._path, self._make())
        self._look_at = 0.0
        return self.current

    def forget_old(self) -> None:
        """Former keys count no more."""
        if self._given is None:
            secret_files.replace(self._old_path, "")
            self._known = ()

    def _keys(self) -> tuple[Key, ...]:
        if self._given is not None:
            if not self._known:
                self._known = (self._key(self._given), *self._given_old)
            return self._known
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_AGAIN
            stamp = _stamp(self._path)
            if not self._known or stamp not in (None, self._seen):  # a file that is gone changes nothing now
                # The key in use is read first: when it is a new one, the file of former ones was written before.
                current = secret_files.read_or_make(self._path, self._make)
                self._known = (self._key(Secret(current)), *self._read_old(), *self._given_old)
                self._seen = stamp
        return self._known

    def _read_old(self) -> list[Key]:
        keys: list[Key] = []
        for line in (secret_files.read(self._old_path) or "").splitlines():
            until, _, text = line.partition(" ")
            try:
                keys.append(self._key(Secret(text), datetime.fromisoformat(until)))
            except ValueError:
                raise BadSecret(
                    f"{self._old_path} has a line that cannot be read: restore it from your backup, or delete the "
                    "file if nobody needs the former keys."
                ) from None
        return keys

    def _key(self, text: Secret, until: datetime = _FOR_EVER) -> Key:
        salt = f"edgeflow {self._name.replace('_', ' ')} id"
        return Key(hashlib.sha256((salt + text.reveal()).encode()).hexdigest()[:12], text, until)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
