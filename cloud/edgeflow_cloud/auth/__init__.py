"""Auth: from a password to a session, from a session to a Principal. The routes under /auth.

Owns: `sessions`. The second factor and links in mails have their routes here too; `operator` is what the instance's
operator does for people. Promises: a bearer token counts only while its session and membership do (an ended one has
no effect after two seconds, in any process); one refresh token has one successor, and an old one that comes
back ends the session; a failed log-in costs the same time whether or not the account exists; guessing is
slowed by address and by account without locking the owner out of browsers and places that were used before; asking
for a link costs and answers the same whoever has the address. Does not do: passwords and codes themselves
(`identity`), roles (`organizations`), API keys and device keys; `app` composes `authenticate` with those. OIDC and
passkeys come in beside `service.login`.
"""

from edgeflow_cloud.auth.bearer import authenticate, bearer_token, is_live
from edgeflow_cloud.auth.model import REFRESH_LIFE
from edgeflow_cloud.auth.operator import Account, disable_mfa_of, list_accounts, reset_password_of
from edgeflow_cloud.auth.registration import ensure_owner

__all__ = [
    "REFRESH_LIFE",
    "Account",
    "authenticate",
    "bearer_token",
    "disable_mfa_of",
    "ensure_owner",
    "is_live",
    "list_accounts",
    "reset_password_of",
]
