"""Addresses and waits that several network types share."""

from __future__ import annotations

import random
from urllib.parse import urlsplit

from ...node import NodeError


def read_address(text: str, default_port: int, schemes: tuple[str, ...]) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of `scheme://host:port/path`, `host:port` or `host`. Raises NodeError."""
    whole = text.strip() if "://" in text else f"{schemes[0]}://{text.strip()}"
    try:
        parts = urlsplit(whole)
        port = parts.port or default_port
    except ValueError as error:
        raise NodeError(
            f"{text!r} is not an address: {error}. Write for example {schemes[0]}://host:{default_port}."
        ) from None
    if parts.scheme not in schemes or not parts.hostname:
        raise NodeError(f"{text!r} is not an address. Write for example {schemes[0]}://host:{default_port}.")
    return parts.scheme, parts.hostname, port, parts.path


class Backoff:
    """Seconds between attempts: doubled from `first` to `last`, half of each by chance."""

    def __init__(self, first: float = 1.0, last: float = 60.0) -> None:
        self.first = first
        self.last = last
        self._next = first

    def wait(self) -> float:
        """The next wait."""
        seconds, self._next = self._next, min(self.last, self._next * 2)
        return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - spreads attempts, keeps no secret

    def reset(self) -> None:
        """It worked."""
        self._next = self.first
