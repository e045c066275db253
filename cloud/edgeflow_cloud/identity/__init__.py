"""Identity: who people are and how they prove it.

Owns: `users`. Promises: one person per e-mail address, whatever its case; a password is kept only as
argon2id, made and checked in a thread of a small bounded pool; an unknown address costs as much time as a
wrong password; nobody sees people outside the organization of their transaction. Does not do: sessions and
tokens (`auth`), who belongs where (`organizations`). MFA, passkeys and OIDC come in here, beside the
password.
"""

from edgeflow_cloud.identity.model import Credentials, NewUser, User, clean_email, clean_timezone
from edgeflow_cloud.identity.passwords import check_password, hash_password, verify_password
from edgeflow_cloud.identity.service import (
    add_user,
    anybody_here,
    change_password,
    find_credentials,
    find_credentials_by_id,
    get_user,
    get_users,
    keep_hash,
    lock_user,
    renewed_hash,
    update_profile,
)

__all__ = [
    "Credentials",
    "NewUser",
    "User",
    "add_user",
    "anybody_here",
    "change_password",
    "check_password",
    "clean_email",
    "clean_timezone",
    "find_credentials",
    "find_credentials_by_id",
    "get_user",
    "get_users",
    "hash_password",
    "keep_hash",
    "lock_user",
    "renewed_hash",
    "update_profile",
    "verify_password",
]
