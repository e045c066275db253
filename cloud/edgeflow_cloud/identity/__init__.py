"""Identity: who people are and how they prove it.

Owns: `users`, `mail_links`, and in `mfa` the second factor. Promises: one person per address, whatever its case;
passwords are kept as argon2id only, an unknown address costs as much as a wrong password; nobody sees people outside
their organization. Does not do: sessions (`auth`), memberships (`organizations`). Passkeys and OIDC come in here.
"""

from edgeflow_cloud.identity.links import LINK_LIFE, LinkOwner, LinkPurpose, find_link, make_link, use_link
from edgeflow_cloud.identity.mfa.service import (
    Factor,
    MfaSetup,
    begin_mfa,
    confirm_mfa,
    disable_mfa,
    recovery_codes_left,
    renew_recovery_codes,
    take_code,
    wrong_code,
)
from edgeflow_cloud.identity.model import Credentials, NewUser, User, clean_email, clean_timezone
from edgeflow_cloud.identity.passwords import check_password, hash_password, verify_password
from edgeflow_cloud.identity.service import (
    add_user,
    anybody_here,
    change_password,
    find_credentials,
    find_credentials_by_id,
    find_users,
    get_user,
    get_users,
    keep_hash,
    lock_user,
    renewed_hash,
    update_profile,
)
from edgeflow_cloud.identity.strength import estimate_strength

__all__ = [
    "LINK_LIFE",
    "Credentials",
    "Factor",
    "LinkOwner",
    "LinkPurpose",
    "MfaSetup",
    "NewUser",
    "User",
    "add_user",
    "anybody_here",
    "begin_mfa",
    "change_password",
    "check_password",
    "clean_email",
    "clean_timezone",
    "confirm_mfa",
    "disable_mfa",
    "estimate_strength",
    "find_credentials",
    "find_credentials_by_id",
    "find_link",
    "find_users",
    "get_user",
    "get_users",
    "hash_password",
    "keep_hash",
    "lock_user",
    "make_link",
    "recovery_codes_left",
    "renew_recovery_codes",
    "renewed_hash",
    "take_code",
    "update_profile",
    "use_link",
    "verify_password",
    "wrong_code",
]
