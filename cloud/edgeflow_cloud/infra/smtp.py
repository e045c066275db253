"""The address of a mail server, as EDGEFLOW_SMTP_URL gives it."""

from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from edgeflow_cloud.infra.secret import Secret

Tls = Literal["starttls", "on", "off"]
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SmtpAddress:
    """Read from `smtp://user:password@host:587?tls=starttls|on|off` (or `smtps://`, which is `tls=on`).

    `tls` is `on` from the first byte (port 465), `starttls` before anything is said (the default elsewhere, and
    refused servers are not talked to), or `off` (the default on loopback; not with a password elsewhere).
    """

    __slots__ = ("host", "password", "port", "tls", "user")

    def __init__(self, host: str, port: int, tls: Tls, user: str | None, password: Secret | None) -> None:
        self.host = host
        self.port = port
        self.tls: Tls = tls
        self.user = user
        self.password = password

    @classmethod
    def parse(cls, url: Secret) -> "SmtpAddress":
        """Read the URL. Raises ValueError with a sentence that does not show it."""
        parts = urlsplit(url.reveal())
        said = "must look like smtp://user:password@host:587?tls=starttls"
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(said)
        try:
            port = parts.port
        except ValueError:
            raise ValueError(said) from None
        if bool(parts.username) != bool(parts.password):
            raise ValueError("must name user and password together, or neither")
        local = parts.hostname in _LOOPBACK
        usual = "on" if parts.scheme == "smtps" or port == 465 else "off" if local else "starttls"
        tls = parse_qs(parts.query).get("tls", [usual])[0]
        if tls not in ("starttls", "on", "off"):
            raise ValueError("takes tls=starttls, tls=on or tls=off")
        if tls == "off" and parts.password and not local:
            raise ValueError("would send the password readable: use tls=starttls or tls=on")
        return cls(
            parts.hostname,
            port or (465 if tls == "on" else 587 if parts.username else 25),
            tls,
            unquote(parts.username) if parts.username else None,
            Secret(unquote(parts.password)) if parts.password else None,
        )
