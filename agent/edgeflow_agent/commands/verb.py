"""What a verb is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

Verb = Callable[[Mapping[str, object]], Awaitable[object]]
"""Takes a command's payload; returns its data (any JSON value). Raises CommandError."""


class CommandError(Exception):
    """The command was understood but cannot be done. `str(error)` is the sentence that the cloud shows."""
