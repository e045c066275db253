"""The secrets that this installation made for itself.

They are made once, on first use, in DATA_DIR/secrets (folder 0700, files 0600). What the environment gives
(EDGEFLOW_JWT_KEY, EDGEFLOW_MASTER_KEY, EDGEFLOW_AUDIT_KEY) is used instead and never written. These keys can be rotated
(`keyring.py`).
"""

import base64
import binascii
import secrets as random_secrets
import string
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from edgeflow_cloud.infra import secret_files
from edgeflow_cloud.infra.keyring import Keyring
from edgeflow_cloud.infra.secret import STARS, BadSecret, Secret

__all__ = ["STARS", "BadSecret", "Origin", "Secret", "Secrets", "master_bytes"]

Origin = Literal["environment", "file", "made by `up`", "not made yet"]


class Secrets:
    """The installation's secrets, each read or made when first asked for. Every member raises BadSecret."""

    def __init__(
        self,
        folder: Path,
        *,
        jwt_key: Secret | None = None,
        master_key: Secret | None = None,
        jwt_old_keys: Sequence[Secret] = (),
        master_old_keys: Sequence[Secret] = (),
        audit_key: Secret | None = None,
        audit_old_keys: Sequence[Secret] = (),
    ) -> None:
        self.folder = folder
        self.jwt_keys = Keyring(folder, "jwt_key", make=_random_key, given=jwt_key, given_old=jwt_old_keys)
        """Sign access and refresh tokens (HMAC-SHA256); at least 32 characters each."""
        self.master_keys = Keyring(
            folder, "master_key", make=_random_key, given=master_key, given_old=master_old_keys
        )
        """Seal what is stored sealed (`sealing.py`); `master_bytes` reads one."""
        self.audit_keys = Keyring(
            folder, "audit_key", make=_random_key, given=audit_key, given_old=audit_old_keys
        )
        """Sign checkpoints and exports of the audit log: the 32 bytes of an Ed25519 key each (`master_bytes`)."""
        self._given = {"jwt_key": jwt_key, "master_key": master_key, "audit_key": audit_key}
        self._known: dict[str, Secret] = {}

    @property
    def jwt_key(self) -> Secret:
        """The key that signs tokens now."""
        return self.jwt_keys.current.text

    @property
    def jwt_key_id(self) -> str:
        """Names the JWT key in a token's header (`kid`), so that a rotated key is told from a forged one."""
        return self.jwt_keys.current.id

    @property
    def master_key(self) -> bytes:
        """32 bytes that encrypt what is stored encrypted (MFA seeds, webhook secrets, device environment)."""
        return master_bytes(self.master_keys.current.text)

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
            "audit_key",
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
            self._known[name] = Secret(secret_files.read_or_make(self.folder / name, make))
        return self._known[name]


def master_bytes(text: Secret, variable: str = "EDGEFLOW_MASTER_KEY") -> bytes:
    """The 32 bytes of a key. Raises BadSecret, naming the variable, for any other length or spelling."""
    plain = text.reveal()
    with suppress(binascii.Error, ValueError):
        key = base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
        if len(key) == 32:  # AES-256
            return key
    raise BadSecret(
        f"{variable} must be 32 bytes in URL-safe base64: `openssl rand -base64 32 | tr +/ -_`."
    )


def _random_key() -> str:
    return base64.urlsafe_b64encode(random_secrets.token_bytes(32)).decode().rstrip("=")


def _random_word() -> str:
    """Letters and digits only: it stands in URLs and configuration files without quoting. About 190 bits."""
    return "".join(random_secrets.choice(string.ascii_letters + string.digits) for _ in range(32))
