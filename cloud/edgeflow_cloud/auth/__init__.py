"""Auth: from a password to a session, from a session to a Principal. The routes under /auth.

Owns: `sessions`. Promises: a bearer token counts only while its session and membership do (an ended one has
no effect after two seconds, in any process); one refresh token has one successor, and an old one that comes
back ends the session; a failed log-in costs the same time whether or not the account exists; guessing is
slowed by address and by account without locking the owner out of places that were used before. Does not do:
passwords themselves (`identity`), roles (`organizations`), API keys and device keys. `app` composes
`authenticate` with those.
"""

from edgeflow_cloud.auth.bearer import authenticate, bearer_token, is_live
from edgeflow_cloud.auth.registration import ensure_owner

__all__ = ["authenticate", "bearer_token", "ensure_owner", "is_live"]
