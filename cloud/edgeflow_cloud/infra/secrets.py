"""Secrets: a type that prints as stars, and the ones this installation made for itself.

They are made once, on first use, in DATA_DIR/secrets (folder 0700, files 0600). What the environment gives
(EDGEFLOW_JWT_KEY, EDGEFLOW_MASTER_KEY) is used instead and never written.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets as random_secrets
import string
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, NoReturn, cast

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

STARS: Final = "********"
Origin = Literal["environment", "file", "made by `up`", "not made yet"]


class Secret:
    """Text that must not be seen: it prints, formats and logs as stars. `reveal()` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Every call is a place to look at in a review."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({STARS!r})"

    def __str__(self) -> str:
        return STARS

    def __format__(self, _spec: str) -> str:
        return STARS

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_plain_validator_function(_to_secret)
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=from_text,
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )


class BadSecret(Exception):
    """A secret is unreadable, unwritable or malformed; `str()` says what to do."""


class Secrets:
    """The installation's secrets, each read or made when first asked for. Every member raises BadSecret."""

    def __init__(
        self, folder: Path, *, jwt_key: Secret | None = None, master_key: Secret | None = None
    ) -> None:
        self.folder = folder
        self._given = {"jwt_key": jwt_key, "master_key": master_key}
        self._known: dict[str, Secret] = {}

    @property
    def jwt_key(self) -> Secret:
        """Signs access and refresh tokens (HMAC-SHA256); at least 32 characters."""
        return self._get("jwt_key", _random_key)

    @property
    def jwt_key_id(self) -> str:
        """Names the JWT key in a token's header (`kid`), so that a rotated key is told from a forged one."""
        return hashlib.sha256(b"edgeflow jwt key id" + self.jwt_key.reveal().encode()).hexdigest()[:12]

    @property
    def master_key(self) -> bytes:
        """32 bytes that encrypt what is stored encrypted (MFA seeds, webhook secrets, device environment)."""
        text = self._get("master_key", _random_key).reveal()
        with suppress(binascii.Error, ValueError):
            key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            if len(key) == 32:  # AES-256
                return key
        raise BadSecret(
            "EDGEFLOW_MASTER_KEY must be 32 bytes in URL-safe base64: `openssl rand -base64 32 | tr +/ -_`."
        )

    @property
    def database_password(self) -> Secret:
        """Password of the embedded PostgreSQL."""
        return self._get("database_password", _random_word)

    @property
    def valkey_password(self) -> Secret:
        """Password of the embedded Valkey."""
        return self._get("valkey_password", _random_word)

    @property
    def s3_access_key(self) -> str:
        """Access key id of the embedded S3 store. It is a name, not a secret, but made like one."""
        return self._get("s3_access_key", lambda: random_secrets.token_hex(10).upper()).reveal()

    @property
    def s3_secret_key(self) -> Secret:
        """Secret key of the embedded S3 store."""
        return self._get("s3_secret_key", _random_word)

    @property
    def s3_signing_key(self) -> Secret:
        """Signs the tokens that the embedded store's own services show each other."""
        return self._get("s3_signing_key", _random_word)

    def origins(self) -> dict[str, Origin]:
        """Where each secret comes from, without making any."""
        names = (
            "jwt_key",
            "master_key",
            "database_password",
            "valkey_password",
            "s3_access_key",
            "s3_secret_key",
        )
        made: dict[str, Origin] = {}
        for name in names:
            if self._given.get(name):
                made[name] = "environment"
            else:
                made[name] = "made by `up`" if (self.folder / name).exists() else "not made yet"
        return made

    def _get(self, name: str, make: Callable[[], str]) -> Secret:
        if name not in self._known:
            self._known[name] = self._given.get(name) or _read_or_make(self.folder / name, make)
        return self._known[name]


def _to_secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    raise ValueError("must be text")


def _read_or_make(path: Path, make: Callable[[], str]) -> Secret:
    try:
        found = _read(path)
        if found is None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.chmod(0o700)
            _make(path, make())
            found = cast("str", _read(path))  # another process may have been first: its value counts
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadSecret(
            f"The secret {path} cannot be read or made ({reason}): set EDGEFLOW_DATA_DIR to a folder of this user, "
            "or mend the file's owner."
        ) from error
    if not found:
        raise BadSecret(
            f"The secret {path} is empty: restore it from your backup; a new one would open nothing old."
        )
    return Secret(found)


def _read(path: Path) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, encoding="ascii") as file:
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        return file.read().strip()


def _make(path: Path, text: str) -> None:
    """Write the file whole and durable, or leave the one that came first."""
    fresh = path.with_name(f".{path.name}.{random_secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _random_key() -> str:
    return base64.urlsafe_b64encode(random_secrets.token_bytes(32)).decode().rstrip("=")


def _random_word() -> str:
    """Letters and digits only: it stands in URLs and configuration files without quoting. About 190 bits."""
    return "".join(random_secrets.choice(string.ascii_letters + string.digits) for _ in range(32))
