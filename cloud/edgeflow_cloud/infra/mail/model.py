"""What a letter, a rendered mail and a stored mail are."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import msgspec


@dataclass(frozen=True, slots=True)
class Letter:
    """A kind of mail: `name` (`auth.verify_email`) and the folder with its two templates.

    The part of the name after the dot is the files' name: `verify_email.txt`, whose first line is the subject and
    whose second is empty, and `verify_email.html`, which begins with `{% extends "layout.html" %}`. Both are given
    the values of `send`. What a stranger may have written (a name, say) goes through the filter `calm`.
    """

    name: str
    folder: Path


class Content(msgspec.Struct, frozen=True):
    """A rendered mail."""

    subject: str
    text: str
    html: str


class State(StrEnum):
    """What became of a mail."""

    WAITING = "waiting"
    """A job will send it, or tries to."""
    SENT = "sent"
    """The mail server took it."""
    KEPT = "kept"
    """There was no mail server: the operator can read it."""
    REFUSED = "refused"
    """The mail server refused it for good; `error` says why."""
    LATE = "late"
    """It could not be sent while it was of use."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored mail. `content` is None once it was sent, or where it cannot be opened."""

    id: UUID
    kind: str
    recipient: str
    state: State
    error: str | None
    created_at: datetime
    good_until: datetime
    content: Content | None
