"""Settings: `EDGEFLOW_…` variables, then `edgeflow.toml`, then defaults that work on one machine.

The file is `./edgeflow.toml`, or the one EDGEFLOW_CONFIG names; its keys are the variables' names in lower
case without the prefix (`port = 8000`). Programs read settings with `origins.load`, which also says where
each came from.
"""

import re
import socket
from email.utils import parseaddr
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from edgeflow_cloud.infra.secret import Secret
from edgeflow_cloud.infra.smtp import SmtpAddress

PREFIX = "EDGEFLOW_"
Network = IPv4Network | IPv6Network


class Plan(StrEnum):
    """What a new organization may use; `enterprise` has no limits."""

    FREE = "free"
    STARTER = "starter"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Registration(StrEnum):
    """Who may make an account."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


def _empty_to_none(value: object) -> object:
    return None if value == "" else value


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(_network(part.strip()) for part in value.split(",") if part.strip())


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} must be an address or a network like 10.0.0.0/8") from None


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise ValueError("must be an e-mail address")
    return text


def _sender(text: str) -> str:
    """`Name <name@example.com>` or the address alone; empty is made of the public address."""
    name, address = parseaddr(text)
    if text and (not re.fullmatch(r"[!-~]+@[!-~]+", address) or not name.isprintable()):
        raise ValueError("must look like EdgeFlow <edgeflow@example.com>")
    return text


def _secrets(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(Secret(part.strip()) for part in value.split(",") if part.strip())


def _existing_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("must name an existing file")
    return path


_Optional = BeforeValidator(_empty_to_none)
Port = Annotated[int, Field(ge=0, le=65535)]
OptionalPort = Annotated[Port | None, _Optional]
OptionalSecret = Annotated[Secret | None, _Optional]
SecretList = Annotated[tuple[Secret, ...], NoDecode, BeforeValidator(_secrets)]
OptionalFile = Annotated[Annotated[Path, AfterValidator(_existing_file)] | None, _Optional]


class Settings(BaseSettings):
    """One process's settings, read once at its start and never changed."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, validate_default=True)

    port: Port = Field(
        default=8000,
        description="Port of everything: REST, tunnel, live, blobs, console. 0 takes a free one.",
    )
    host: str = Field(
        default="127.0.0.1", description="Address to listen on; 0.0.0.0 lets other machines in."
    )
    public_url: Annotated[str, NoDecode] = Field(
        default="", description="What devices, mails and installers are told."
    )
    hub_port: OptionalPort = Field(
        default=None, description="A port of its own for device tunnels; unset: the same port."
    )
    drain_seconds: Annotated[float, Field(ge=0, le=20)] = Field(
        default=10.0,
        description="How long a hub on its own that ends lets its devices move to others; 0: all at once.",
    )
    tls_cert: OptionalFile = Field(
        default=None, description="PEM file with the certificate chain; needs EDGEFLOW_TLS_KEY."
    )
    tls_key: OptionalFile = Field(default=None, description="PEM file with the certificate's key.")
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        default=(), description="Addresses or networks whose X-Forwarded-For counts, separated by commas."
    )
    data_dir: Path = Field(
        default=Path("data"), description="Folder of the embedded parts, the secrets, the demo device."
    )
    database_url: OptionalSecret = Field(
        default=None, description="postgresql://user:password@host:5432/name; unset: an embedded PostgreSQL."
    )
    valkey_url: OptionalSecret = Field(
        default=None,
        description="redis://:password@host:6379/0, rediss:// or unix://; unset: an embedded Valkey.",
    )
    s3_url: OptionalSecret = Field(
        default=None,
        description="s3://key:secret@host:port/bucket?region=us-east-1&tls=on; unset: an embedded store.",
    )
    metrics_token: OptionalSecret = Field(
        default=None,
        description="Bearer token for `/metrics`; without it only the machine itself may scrape.",
    )
    jwt_key: OptionalSecret = Field(
        default=None, description="Signs logins; at least 32 characters. Unset: made once."
    )
    master_key: OptionalSecret = Field(
        default=None, description="32 bytes in URL-safe base64. Unset: made once."
    )
    jwt_old_keys: SecretList = Field(
        default=(), description="Other keys whose logins are accepted: the former one, or the coming one."
    )
    master_old_keys: SecretList = Field(
        default=(), description="Former master keys: what they sealed can still be opened."
    )
    audit_key: OptionalSecret = Field(
        default=None,
        description="Signs checkpoints of the audit log: 32 bytes in URL-safe base64. Unset: made once.",
    )
    audit_old_keys: SecretList = Field(
        default=(), description="Former audit keys: what they signed is still believed."
    )
    smtp_url: OptionalSecret = Field(
        default=None,
        description="smtp://user:password@host:587?tls=starttls (or on, off); unset: mails are kept for "
        "`edgeflow-cloud mail`.",
    )
    mail_from: Annotated[str, AfterValidator(_sender)] = Field(
        default="", description="Sender of mails: EdgeFlow <edgeflow@example.com>."
    )
    registration: Registration = Field(
        default=Registration.OPEN, description="Who may make an account: open, invite, closed."
    )
    default_plan: Plan = Field(default=Plan.ENTERPRISE, description="Plan of a new organization.")
    owner_email: Annotated[str, AfterValidator(_email)] = Field(
        default="owner@edgeflow.local", description="Login of the owner that the first start makes."
    )
    demo_device: bool = Field(default=True, description="Whether `up` runs an agent of its own: on or off.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto",
        description="text for people, json for programs; auto: by whether stderr is a terminal.",
    )

    @field_validator("log_level", "log_format", "default_plan", "registration", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url", "valkey_url", "s3_url")
    @classmethod
    def _known_scheme(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        schemes = {
            "database_url": ("postgresql", "postgres"),
            "valkey_url": ("redis", "rediss", "unix", "valkey", "valkeys"),
            "s3_url": ("s3",),
        }[str(info.field_name)]
        if value is not None and urlsplit(value.reveal()).scheme not in schemes:
            raise ValueError(f"must begin with {schemes[0]}://")
        if value is not None and info.field_name == "s3_url":
            S3Address.parse(value)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: Secret | None) -> Secret | None:
        if value is not None:
            SmtpAddress.parse(value)
        return value

    @field_validator("jwt_key", "jwt_old_keys")
    @classmethod
    def _long_enough(cls, value: Secret | tuple[Secret, ...] | None) -> Secret | tuple[Secret, ...] | None:
        for key in value if isinstance(value, tuple) else (value,):
            if key is not None and len(key.reveal()) < 32:  # RFC 7518: a key as long as the hash
                raise ValueError("must have at least 32 characters; `openssl rand -base64 32` makes one")
        return value

    @field_validator("public_url")
    @classmethod
    def _bare_url(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must look like https://cloud.example.com")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("EDGEFLOW_TLS_CERT and EDGEFLOW_TLS_KEY are given together or not at all")
        if not self.public_url:
            object.__setattr__(self, "public_url", self._derived_url())
        return self

    @property
    def sender(self) -> str:
        """Who mails come from: what EDGEFLOW_MAIL_FROM says, or a name at the public address."""
        host = urlsplit(self.public_url).hostname or "localhost"
        return self.mail_from or f"EdgeFlow <edgeflow@{'localhost' if ':' in host else host}>"

    def _derived_url(self) -> str:
        host = {"0.0.0.0": _own_address(), "::": _own_address(), "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls_cert else 'http'}://{shown}:{self.port}"

    @cached_property
    def loopback_only(self) -> bool:
        """Whether other machines cannot reach this one, so that a real device cannot either."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def with_port(self, port: int) -> "Settings":
        """The same settings on another port; an address that was derived from the old one follows."""
        derived = self.public_url == self._derived_url()
        moved = self.model_copy(update={"port": port})
        return moved.model_copy(update={"public_url": moved._derived_url()}) if derived else moved

    def with_parts(self, **urls: str | None) -> "Settings":
        """The same settings with the addresses of embedded parts filled in where none was given."""
        fresh = {name: Secret(url) for name, url in urls.items() if url is not None}
        return self.model_copy(update=fresh)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The file's values come in through `origins.load`, which also reports them.
        return (init_settings, env_settings)


class S3Address:
    """An S3 store's address, read from `s3://key:secret@host:port/bucket?region=…&tls=on|off`.

    `tls` defaults to off on loopback and on elsewhere; without a host the bucket is at AWS: `s3://key:secret@/bucket`.
    """

    __slots__ = ("access_key", "bucket", "endpoint", "region", "secret_key")

    def __init__(
        self, endpoint: str | None, bucket: str, region: str, access_key: str, secret_key: Secret
    ) -> None:
        self.endpoint = endpoint
        self.bucket = bucket
        self.region = region
        self.access_key = access_key
        self.secret_key = secret_key

    @classmethod
    def parse(cls, url: Secret) -> "S3Address":
        """Read the URL. Raises ValueError with a sentence that does not show it."""
        parts = urlsplit(url.reveal())
        bucket = parts.path.strip("/")
        options = parse_qs(parts.query)
        if not parts.username or not parts.password or not bucket or "/" in bucket:
            raise ValueError("must look like s3://key:secret@host:port/bucket?region=us-east-1")
        endpoint = None
        if parts.hostname:
            loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
            tls = options.get("tls", ["off" if loopback else "on"])[0] == "on"
            endpoint = f"{'https' if tls else 'http'}://{parts.netloc.rpartition('@')[2]}"
        region = options.get("region", ["us-east-1"])[0]
        return cls(endpoint, bucket, region, unquote(parts.username), Secret(unquote(parts.password)))


def _own_address() -> str:
    """This machine's address as its network sees it. Nothing is sent: connecting UDP only chooses a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
