"""The second factor: one-time passwords of an authenticator, and recovery codes.

Owns: `totp_seeds`, `recovery_codes`. Promises: a seed is stored sealed, recovery codes hashed; a code is taken once,
also when two log-ins show it at the same time; nothing here counts before it was confirmed with a code. Passkeys come
in beside it.
"""
